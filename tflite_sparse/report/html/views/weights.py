"""The weights as a table that can be sorted and filtered; the script draws what is behind a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.svg.element import Svg, svg_number
from tflite_sparse.report.html.svg.histogram import HISTOGRAM_WIDTH, histogram
from tflite_sparse.report.names import labels, layer_part
from tflite_sparse.words.numbers import count_of, kib, percent, rounded_percent, shape, type_name

if TYPE_CHECKING:
    from tflite_sparse.inspection.weights.weight_types import BlockFill, WeightFacts
    from tflite_sparse.inspection.weights.zero_maps import ZeroMap
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["WeightRow", "WeightsView", "weights_view"]

_ROOM = 44  # characters for a name
_LEAST = 103  # a tenth of a KiB


class WeightRow(msgspec.Struct, frozen=True):
    """A weight.

    Attributes:
        order: position of the first operator that reads it; "" for none.
        name: its name, in the room that there is.
        note: what reads it, its shape and its type.
        zeros: share of zeros; "?" where they cannot be counted.
        zeros_width: width of the bar of that share; None for none.
        spread: how many channels have how many zeros, as a picture; None where unknown.
        fill2: share of values that are not zero in blocks of 2 output channels.
        fill4: the same in blocks of 4.
        now: KiB that the file spends on it.
        sparse: KiB in its smallest sparse encoding.
        saving: KiB that storing it sparse would save.
    """

    order: str
    name: str
    note: str
    zeros: str
    zeros_width: str | None
    spread: Svg | None
    fill2: str
    fill4: str
    now: str
    sparse: str
    saving: str


class WeightsView(msgspec.Struct, frozen=True):
    """The weights of a model.

    Attributes:
        caption: how many there are.
        kinds: the kinds of operators that read them.
        rows: the weights.
    """

    caption: str
    kinds: tuple[str, ...]
    rows: tuple[WeightRow, ...]


def weights_view(model: PageModel) -> WeightsView:
    """The weights of a model."""
    weights = model.inspection.weights
    prefix, names = labels(
        [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights], _ROOM
    )
    return WeightsView(
        f"{count_of(len(weights), 'weight')}" + (f", names under {prefix}" if prefix else ""),
        tuple(sorted({use.name for weight in weights for use in weight.uses})),
        tuple(
            _row(weight, name, zero_map)
            for weight, (name,), zero_map in zip(weights, names, model.survey.maps, strict=True)
        ),
    )


def _row(weight: WeightFacts, name: str, zero_map: ZeroMap | None) -> WeightRow:
    use = weight.uses[0] if weight.uses else None
    more = f" +{len(weight.uses) - 1}" if len(weight.uses) > 1 else ""
    kind = f"{use.name}{more}" if use else "unused"
    fills = {fill.channels: fill for fill in weight.blocks}
    counted = weight.zeros is not None
    return WeightRow(
        order=str(use.operator) if use else "",
        name=name or "(no name)",
        note=f"{kind} · {shape(weight.shape)} · {_type(weight)}",
        zeros="?" if weight.zeros is None else percent(weight.zeros, weight.elements),
        zeros_width=svg_number(HISTOGRAM_WIDTH * weight.zero_share) if counted else None,
        spread=None if zero_map is None else histogram(zero_map),
        fill2=_fill(fills.get(2)),
        fill4=_fill(fills.get(4)),
        now=kib(weight.bytes_now),
        sparse="-" if weight.bytes_sparse is None else kib(weight.bytes_sparse),
        saving=_saving(weight.saving),
    )


def _type(weight: WeightFacts) -> str:
    name = type_name(weight.type)
    return f"{name} that computes in fp32" if weight.dequantized else name


def _fill(fill: BlockFill | None) -> str:
    return "" if fill is None or not fill.blocks else rounded_percent(fill.fill)


def _saving(count: int) -> str:
    if not count:
        return ""
    return "<0.1" if count < _LEAST else kib(count)
