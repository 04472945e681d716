"""The weights of a model: a table of them, and everything about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.names import common_prefix, layer_part
from tflite_sparse.report.text.headings import heading
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import (
    count_of,
    kib,
    listing,
    percent,
    rounded_percent,
    shape,
    thousands,
    type_name,
)
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import EncodingFacts, LevelFacts, WeightFacts
    from tflite_sparse.report.text.headings import Lines

__all__ = ["weight_details", "weight_table", "weight_words"]

_WIDE = 100
_NARROW = 76
_SHORT_OPERATORS = {
    "DEPTHWISE_CONV_2D": "DEPTHWISE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "BI_LSTM",
    "EMBEDDING_LOOKUP": "EMBEDDING",
    "TRANSPOSE_CONV": "TRANSP_CONV",
}


def weight_table(inspection: Inspection, width: int) -> Lines:
    """A line a weight: what reads it, its shape, its zeros, its sizes.

    Args:
        inspection: what to show the weights of.
        width: the room for a line; a wide one shows more columns, a narrow one fewer.
    """
    weights = inspection.weights
    count = inspection.totals.weight_tensors
    if not count:
        return []
    title = count_of(count, "weight")
    if len(weights) < count:
        title = f"{len(weights)} of {title}"
    names = [layer_part(w.name, w.uses[0].name if w.uses else "") for w in weights]
    prefix = common_prefix(names)
    types = {_type(weight) for weight in weights}
    columns = _columns(width, mixed=len(types) > 1)
    rows = [
        [cell(weight) if cell else name.removeprefix(prefix) for _, cell in columns]
        for weight, name in zip(weights, names, strict=True)
    ]
    notes = ["KiB, * as stored"]
    if len(types) == 1:
        notes.insert(0, types.pop())
    if any(weight.dequantized for weight in weights):
        notes.append("^ computes in fp32")
    if prefix:
        notes.insert(0, f"under {prefix}")
    lines = _title(title, ", ".join(notes) if weights else "", width)
    if weights:
        lines += table([column for column, _ in columns], rows, width)
    if len(weights) < count:
        from rich.text import Text

        lines.append(Text("  --top 0 shows all, --group sums them up by block", "dim"))
    return lines


def _title(title: str, notes: str, width: int) -> Lines:
    """The title with the notes at its right end, or below where the line has no room for them."""
    from rich.text import Text

    if len(title) + 2 + len(notes) <= width:
        return [heading(title, notes, width, path=False)]
    return [
        Text(title, "bold"),
        *(Text(f"  {row}", "dim") for row in wrapped(notes, max(20, width - 2))),
    ]


def _columns(
    width: int, *, mixed: bool
) -> list[tuple[Column, Callable[[WeightFacts], str] | None]]:
    """Each column with what fills it; None for the column of names."""
    wide = width >= _WIDE
    columns: list[tuple[Column, Callable[[WeightFacts], str] | None]] = [
        (Column("#", right=True, style="dim"), _place),
        (Column("operator"), lambda weight: _operator(weight, wide=wide)),
        (Column("weight", gives_way=True), None),
    ]
    if width >= _NARROW:
        columns.append((Column("shape", right=True), lambda weight: shape(weight.shape)))
    if mixed:
        columns.append((Column("type"), _type))
    columns.append((Column("zeros", right=True, style="bold"), _zeros))
    if wide:
        columns += [
            (Column("near", right=True), _near),
            (Column("fill 2", right=True), lambda weight: _fill(weight, 2)),
            (Column("fill 4", right=True), lambda weight: _fill(weight, 4)),
        ]
    return [
        *columns,
        (Column("dense ", right=True), _dense),
        (Column("sparse ", right=True), _sparse),
    ]


def _place(weight: WeightFacts) -> str:
    if not weight.uses:
        return ""
    use = weight.uses[0]
    return f"{use.subgraph}:{use.operator}" if use.subgraph else str(use.operator)


def _type(weight: WeightFacts) -> str:
    return f"{type_name(weight.type)}^" if weight.dequantized else type_name(weight.type)


def _operator(weight: WeightFacts, *, wide: bool) -> str:
    if not weight.uses:
        return "none"
    name = weight.uses[0].name
    more = f" +{len(weight.uses) - 1}" if len(weight.uses) > 1 else ""
    return (name if wide else _SHORT_OPERATORS.get(name, name)) + more


def _zeros(weight: WeightFacts) -> str:
    return "?" if weight.zeros is None else percent(weight.zeros, weight.elements)


def _near(weight: WeightFacts) -> str:
    return percent(weight.near_zeros, weight.elements) if weight.near_zeros else ""


def _fill(weight: WeightFacts, channels: int) -> str:
    return next((rounded_percent(b.fill) for b in weight.blocks if b.channels == channels), "")


def _dense(weight: WeightFacts) -> str:
    if weight.storage == "dense":
        return f"{kib(weight.bytes_now)}*"
    return "? " if weight.bytes_dense is None else f"{kib(weight.bytes_dense)} "


def _sparse(weight: WeightFacts) -> str:
    if weight.storage == "sparse":
        return f"{kib(weight.bytes_now)}*"
    return "- " if weight.bytes_sparse is None else f"{kib(weight.bytes_sparse)} "


def weight_details(weights: Sequence[WeightFacts], width: int) -> Lines:
    """Everything about each weight, some lines each.

    Args:
        weights: the weights.
        width: the room for a line.
    """
    from rich.text import Text

    lines: Lines = []
    for weight in weights:
        uses = [
            f"{layer_part(use.output, use.name) or use.operator} ({use.name})"
            for use in weight.uses
        ]
        title = f"weight of {listing(uses)}" if uses else "weight that nothing reads"
        for label, text in (("", title), *weight_words(weight)):
            style = "" if label else "bold"
            rows = wrapped(text, max(20, width - 17))
            if not label:
                rows = wrapped(text, max(20, width - 7))
            for number, row in enumerate(rows):
                lead = f"       {'' if number else label:<10}" if label else " " * 7
                if not label and number == 0:
                    lead = f"{_place(weight):>5}  "
                lines.append(Text.assemble((lead, "dim"), (row, style)))
    return lines


def weight_words(weight: WeightFacts) -> Iterator[tuple[str, str]]:
    """Everything about a weight, as labels and what belongs to them."""
    yield "name", weight.name or f"tensor {weight.tensor}"
    yield "shape", f"{type_name(weight.type)} {shape(weight.shape)}"
    yield "stored", _encoding(weight.encoding) if weight.encoding else weight.storage
    through = {use.through for use in weight.uses if use.through}
    for chain in sorted(through):
        yield "read", _read_words(weight, chain)
    if weight.quantization is not None:
        points = ", ".join(map(str, weight.quantization.zero_points[:8]))
        axis = weight.quantization.axis
        yield (
            "quantized",
            (
                f"zero point {points}"
                + ("" if axis is None else f"; a scale for each of axis {axis}")
            ),
        )
    if weight.zeros is not None:
        yield "zeros", _zero_words(weight)
    for block in weight.blocks:
        fits = ", enough for the runtime's kernel" if block.fits and weight.pointwise else ""
        yield (
            f"blocks {block.channels}",
            f"of channels are {rounded_percent(block.fill, 1)} full{fits}",
        )
    if weight.block_shapes:
        shapes = (
            f"{'x'.join(map(str, shape.block))} {rounded_percent(shape.fill)}"
            for shape in weight.block_shapes
        )
        yield "shapes", f"{', '.join(shapes)} full"
    yield "bytes", "; ".join(_byte_words(weight))


def _read_words(weight: WeightFacts, chain: tuple[str, ...]) -> str:
    if "DEQUANTIZE" not in chain:
        return f"through {listing(list(chain))}"
    values = f"{type_name(weight.type)} values, {weight.storage}"
    return f"{values}, behind {' and '.join(chain)}: they compute in fp32"


def _zero_words(weight: WeightFacts) -> str:
    zeros, near = weight.zeros or 0, weight.near_zeros
    text = f"{thousands(zeros)} of {thousands(weight.elements)}"
    text += f" ({percent(zeros, weight.elements)})"
    return f"{text}; {thousands(near)} more are near zero" if near else text


def _byte_words(weight: WeightFacts) -> Iterator[str]:
    yield f"{thousands(weight.bytes_now)} now"
    if weight.storage == "sparse" and weight.bytes_dense is not None:
        yield f"{thousands(weight.bytes_dense)} dense"
    if weight.bytes_sparse is not None:
        yield f"{thousands(weight.bytes_sparse)} as {weight.best_encoding}"
    if weight.cannot is not None:
        yield f"left as it is: {weight.cannot}"


def _encoding(encoding: EncodingFacts) -> str:
    order = " ".join(map(str, encoding.traversal_order))
    text = f"sparse in the order {order}: {', '.join(_level(level) for level in encoding.levels)}"
    if encoding.block_map:
        sizes = "x".join(map(str, encoding.block_shape))
        dimensions = listing([str(dimension) for dimension in encoding.block_map])
        text += f"; blocks of {sizes} on {dimensions}"
    return f"{text}; {count_of(encoding.values, 'value')}"


def _level(level: LevelFacts) -> str:
    if level.format == "dense":
        return f"dense {level.dense_size}"
    return (
        f"CSR ({thousands(level.segments or 0)} segments {level.segments_type},"
        f" {thousands(level.indices or 0)} indices {level.indices_type})"
    )
