"""Several models side by side: numbers and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.report.html.svg.strip import strip
from tflite_sparse.report.html.views.bars import Bar, size_bars, size_scale
from tflite_sparse.report.html.views.outcomes import OUTCOMES
from tflite_sparse.report.verdict import verdicts
from tflite_sparse.words.numbers import millions, percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tflite_sparse.report.html.subject import PageModel
    from tflite_sparse.xnnpack.cost.estimate import Estimate

__all__ = ["CompareView", "ShortVerdict", "compare_view", "short_verdicts"]


class ShortVerdict(msgspec.Struct, frozen=True):
    """What becomes of a model on some targets, in few words.

    Attributes:
        colour: class of its colour.
        headline: its first words.
        text: how it goes on.
    """

    colour: str
    headline: str
    text: str


class CompareView(msgspec.Struct, frozen=True):
    """Models side by side.

    Attributes:
        names: what to call them.
        verdicts: what becomes of each.
        rows: title of each further row of the table with a cell for each model.
        strips: the graph of each at a glance; None for one that is damaged.
        bars: where the bytes of each are.
        scale: what stands under them.
    """

    names: tuple[str, ...]
    verdicts: tuple[tuple[ShortVerdict, ...], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    strips: tuple[Svg | None, ...]
    bars: tuple[Bar, ...]
    scale: tuple[str, ...]


def compare_view(models: Sequence[PageModel]) -> CompareView:
    """Models side by side.

    Args:
        models: the models.
    """

    def time_of(model: PageModel) -> str:
        return _time(model, models[0])

    rows: tuple[tuple[str, Callable[[PageModel], str]], ...] = (
        *((("estimated time", time_of),) if any(map(_estimate, models)) else ()),
        ("multiply-adds that run sparse", _work),
        ("1x1 convolutions that run sparse", _pointwise),
        ("zeros in 1x1 filters", _zeros),
        ("file", lambda model: size(model.inspection.totals.bytes_now)),
        ("file, if dense", lambda model: size(model.inspection.totals.bytes_dense)),
        ("file, if sparse", lambda model: size(model.inspection.totals.bytes_sparse)),
        ("after gzip", _gzip),
        ("weights stored sparse", _stored),
    )
    return CompareView(
        tuple(model.name for model in models),
        tuple(tuple(short_verdicts(model)) for model in models),
        tuple((title, tuple(cell(model) for model in models)) for title, cell in rows),
        tuple(strip(model, model.seen[0]) if model.seen else None for model in models),
        size_bars(
            [
                (model.name, [(part.kind, part.now) for part in model.survey.parts])
                for model in models
            ]
        ),
        size_scale(sum(part.now for part in model.survey.parts) for model in models),
    )


def short_verdicts(model: PageModel) -> Iterator[ShortVerdict]:
    """What becomes of a model on targets that are alike, where zeros could matter.

    Args:
        model: the model.
    """
    for words in verdicts(model.inspection.runtime):
        if not words.off_by_design:
            _, colour = OUTCOMES[words.outcome]
            text = words.text.split(";", 1)[0].split(":", 1)[0].rstrip(".")
            yield ShortVerdict(colour, words.headline, text)


def _work(model: PageModel) -> str:
    if not model.seen:
        return "?"
    view = model.seen[0].view
    return f"{percent(view.sparse_macs, view.macs)} of {millions(view.macs)}"


def _time(model: PageModel, first: PageModel) -> str:
    """How long a run takes by the estimate, and what that wins over the first model."""
    own, other = _estimate(model), _estimate(first)
    if own is None:
        return "?"
    words = f"{own.planned_ms:.3g} ms on wasm"
    if model is first or other is None or not own.planned_ms:
        return words
    return f"{words}, {other.planned_ms / own.planned_ms:.2f} times as fast as {first.name}"


def _estimate(model: PageModel) -> Estimate | None:
    """The estimate of time; of all targets wasm alone has one."""
    found = (t.estimate for seen in model.seen for t in seen.view.targets if t.estimate)
    return next(found, None)


def _pointwise(model: PageModel) -> str:
    groups = model.seen[0].view.groups if model.seen else ()
    sparse = sum(group.sparse_pointwise for group in groups)
    return f"{sparse} of {sum(group.pointwise for group in groups)}"


def _zeros(model: PageModel) -> str:
    totals = model.inspection.totals
    if not totals.pointwise_weights:
        return "it has none"
    return percent(totals.pointwise_zeros, totals.pointwise_weights)


def _gzip(model: PageModel) -> str:
    compressed = model.inspection.totals.gzip_now
    return "not computed" if compressed is None else size(compressed)


def _stored(model: PageModel) -> str:
    totals = model.inspection.totals
    return f"{totals.sparse_tensors} of {totals.weight_tensors}"
