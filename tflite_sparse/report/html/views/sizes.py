"""Where the bytes are: bars and a table of the whole file, and bars of its largest weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.file.breakdown import PARTS
from tflite_sparse.lint.savings import values_saving
from tflite_sparse.report.html.svg.bars import layered_bar
from tflite_sparse.report.html.views.bars import Bar, size_bars, size_scale
from tflite_sparse.report.names import labels, layer_part
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.words.numbers import percent, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.inspection.file.breakdown import SizePart
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["PartRow", "SizesView", "sizes_view"]

_LARGEST = 12
_ROOM = 30  # characters for a name


class PartRow(msgspec.Struct, frozen=True):
    """A part of the file as a row of the table.

    Attributes:
        kind: its key, which its colour is called by.
        name: what people call it.
        sizes: its size in each state of the file.
        share: its share of the file as it is.
    """

    kind: str
    name: str
    sizes: tuple[str, ...]
    share: str


class SizesView(msgspec.Struct, frozen=True):
    """Where the bytes are.

    Attributes:
        states: the states of the file that differ in size, such as "now".
        bars: a bar for each state.
        rows: the parts of the file.
        totals: the size of the file in each state.
        largest: bars of the largest weights.
        narrower: the size of the file with its weights in other numbers, about, for each numbers
            that make it smaller.
        scale: what stands under the bars of the file.
        largest_scale: what stands under those of the weights.
    """

    states: tuple[str, ...]
    bars: tuple[Bar, ...]
    rows: tuple[PartRow, ...]
    totals: tuple[str, ...]
    largest: tuple[Bar, ...]
    narrower: tuple[tuple[str, str], ...]
    scale: tuple[str, ...]
    largest_scale: tuple[str, ...]


def sizes_view(model: PageModel) -> SizesView:
    """The sizes of a model."""
    totals, parts = model.inspection.totals, model.survey.parts
    states: dict[str, Callable[[SizePart], int]] = {}
    if totals.bytes_dense != totals.bytes_now:
        states["if dense"] = lambda part: part.dense
    states["now"] = lambda part: part.now
    if totals.bytes_sparse != totals.bytes_now:
        states["after sparsify"] = lambda part: part.sparse
    return SizesView(
        states=tuple(states),
        bars=size_bars(
            [
                (state, [(part.kind, bytes_of(part)) for part in parts])
                for state, bytes_of in states.items()
            ]
        ),
        rows=tuple(
            PartRow(
                part.kind,
                PARTS[part.kind],
                tuple(size(bytes_of(part)) for bytes_of in states.values()),
                percent(part.now, model.inspection.size),
            )
            for part in parts
        ),
        totals=tuple(size(sum(bytes_of(part) for part in parts)) for bytes_of in states.values()),
        largest=_largest(model),
        narrower=tuple(_narrower(model)),
        scale=size_scale(sum(bytes_of(part) for part in parts) for bytes_of in states.values()),
        largest_scale=size_scale(w.bytes_dense or w.bytes_now for w in model.inspection.weights),
    )


def _narrower(model: PageModel) -> Iterator[tuple[str, str]]:
    """Numbers, and about how much the file would take with sparse storage and weights in them."""
    sparse = sum(part.sparse for part in model.survey.parts)
    for values in (StoredValues.FP16, StoredValues.INT8):
        saving = sum(max(0, values_saving(w, values)) for w in model.inspection.weights)
        if saving:
            share = percent(sparse - saving, model.inspection.size)
            yield str(values), f"about {size(sparse - saving)}, {share} of the file"


def _largest(model: PageModel) -> tuple[Bar, ...]:
    weights = sorted(model.inspection.weights, key=lambda weight: -weight.bytes_now)[:_LARGEST]
    most = max((w.bytes_dense or w.bytes_now for w in weights), default=0)
    if not most:
        return ()
    names = [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights]
    _, shorts = labels(names, _ROOM)
    return tuple(
        _weight(weight, name, short, most)
        for weight, name, (short,) in zip(weights, names, shorts, strict=True)
    )


def _weight(weight: WeightFacts, name: str, short: str, most: int) -> Bar:
    best = min(weight.bytes_now, weight.bytes_sparse or weight.bytes_now)
    words = [f"now {size(weight.bytes_now)}"]
    if weight.storage == "sparse" and weight.bytes_dense:
        words.insert(0, f"dense {size(weight.bytes_dense)}")
    if best < weight.bytes_now:
        words.append(f"sparse {size(best)}")
    value = ", ".join(words)
    layers = (
        ("w-dense", weight.bytes_dense or weight.bytes_now),
        ("w-now", weight.bytes_now),
        ("w-best", best),
    )
    return Bar(
        short,
        layered_bar(layers, most, f"{name}: {value}"),
        value,
        weight.name,
    )
