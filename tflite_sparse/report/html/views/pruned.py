"""The slider: what a share of zeros would make of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.inspection.next_step import command_line, on_any_machine
from tflite_sparse.report.html.subject import PageModel
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.report.html.svg.strip import strip
from tflite_sparse.words.numbers import count_of, percent, rounded_percent, size

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.pruning.curve import CurvePoint
    from tflite_sparse.report.html.pruned import Pruned

__all__ = ["PrunedView", "pruned_data", "pruned_view"]

_LIKELY = 0.8
_BROWSER = "wasm"


class PrunedView(msgspec.Struct, frozen=True):
    """The slider of a model.

    Attributes:
        about: what is pruned, and from which share on that pays.
        dense: the graph as it runs with too few zeros.
        sparse: the graph as it runs with enough, once it is optimized.
        last: position of the last share.
        start: where the slider stands at first.
    """

    about: str
    dense: Svg
    sparse: Svg
    last: int
    start: int


def pruned_view(model: PageModel, pruned: Pruned) -> PrunedView:
    """The slider of a model.

    Args:
        model: the model.
        pruned: what it would be with more zeros.
    """
    curve = pruned.curve
    trial = PageModel(model.name, pruned.survey)
    shares = [abs(point.zeros - _LIKELY) for point in curve.points]
    return PrunedView(
        about=(
            f"{count_of(len(curve.filters), 'filter')} would run sparse from"
            f" {rounded_percent(curve.least, 1)} zeros on, once optimize has adapted the graph."
            " Sizes and times are estimates; what quality is left, only data tell"
            " (prune --data, or training)."
        ),
        dense=strip(model, model.seen[0]),
        sparse=strip(trial, trial.seen[0]),
        last=len(curve.points) - 1,
        start=shares.index(min(shares)),
    )


def pruned_data(model: PageModel, pruned: Pruned) -> list[dict[str, Any]]:
    """What the slider shows at each share.

    Args:
        model: the model.
        pruned: what it would be with more zeros.
    """
    return [_point(model.inspection, pruned, point) for point in pruned.curve.points]


def _point(inspection: Inspection, pruned: Pruned, point: CurvePoint) -> dict[str, Any]:
    filters = len(pruned.curve.filters)
    facts = [
        ("file", f"{size(point.size)}, {percent(point.size, inspection.size)} of its size"),
        ("filters that run sparse", f"{point.sparse} of {filters}"),
    ]
    for time in point.times:
        where = "in the browser" if time.target == _BROWSER else f"on {time.target}"
        gain = f"{time.times:.1f} times as fast" if point.sparse else "no faster"
        facts.append((where, f"{gain}, {time.ms:.1f} ms by the estimate"))
    return {
        "name": f"{rounded_percent(point.zeros)} zeros",
        "facts": facts,
        "sparse": bool(point.sparse),
        "command": command_line(
            "optimize", on_any_machine(inspection), "sparse", f"--prune {point.zeros:g}"
        )
        if point.sparse
        else "",
    }
