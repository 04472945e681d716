"""Reversing maps: what comes before the sparse layout works on reversed maps too.

The image is reversed once, as near to the model's input as can be, so that XNNPACK still takes
everything after it as one partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.common import RANK, pad_before
from tflite_sparse.rewrite.adapt.editor import constant_of
from tflite_sparse.rewrite.adapt.passes import elementwise
from tflite_sparse.rewrite.adapt.passes.windows import turned_filter
from tflite_sparse.rewrite.adapt.regions.region import readers_of
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.common import Context, Said

__all__ = ["reverse", "turn_before"]

_ELEMENTWISE = (*elementwise.UNARY_KINDS, "CAST", "QUANTIZE", "DEQUANTIZE")
_BINARY = ("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM", "PRELU")
_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


def turn_before(context: Context, starts: list[Tensor], readers: list[Operator]) -> Said:
    """Reverses what is brought into the sparse layout, moved up to the model's inputs.

    Args:
        context: along which axes.
        starts: the values that are brought in.
        readers: the operators that will read them reversed.
    """
    graph = context.editor.subgraph
    turned = {id(op): op for op in readers}
    wanted = {id(tensor): tensor for tensor in starts}
    outputs = {id(tensor) for tensor in graph.outputs}
    for op in reversed(list(graph.operators)):
        if spatial_padding(op) is not None or not op.outputs or id(op.outputs[0]) not in wanted:
            continue
        result = op.outputs[0]
        free = id(result) not in outputs and all(id(r) in turned for r in readers_of(result))
        if free and _can_turn(op, context):
            del wanted[id(result)]
            turned[id(op)] = op
            wanted.update((id(tensor), tensor) for tensor in _maps(op))
    own = {id(op) for op in readers}
    for tensor in wanted.values():
        _reverse_for(context, tensor, turned)
    for op in turned.values():
        if id(op) not in own and op.name in _WINDOWED:
            _turn_window(op, context)
    along = " and ".join(n for n, on in zip(("height", "width"), context.flip, strict=True) if on)
    names = ", ".join(tensor.name for tensor in wanted.values())
    return ("flip", f"reversed {names} along {along}", "so that paddings fit")


def reverse(
    context: Context, place: Operator | None, source: Tensor, output: Tensor | None = None
) -> Tensor:
    """Puts a REVERSE_V2 along the reversed axes in front of an operator; what it writes."""
    editor = context.editor
    if output is None:
        output = editor.value(source.shape, source, f"{source.name}/reversed")
        if source.quantization is not None:
            output.table["quantization"] = source.quantization
    axes = [axis + 1 for axis, on in enumerate(context.flip) if on]
    constant = editor.constant(np.array(axes, np.int32), f"{output.name}/axes")
    editor.before(place, "REVERSE_V2", [source, constant], [output])
    return output


def _maps(operator: Operator) -> list[Tensor]:
    if operator.name in _WINDOWED:
        placed = placed_window(operator)
        return [] if placed is None else [placed.source]
    return elementwise.computed(operator)


def _can_turn(operator: Operator, context: Context) -> bool:
    """Whether an operator works on reversed maps as well, its window turned."""
    if operator.name in _WINDOWED:
        placed = placed_window(operator)
        if placed is None or constant_of(operator, 1) is None:
            return False
        return all(axis.before >= 0 and axis.after >= 0 for axis in placed.turned(context.flip))
    if not all(len(tensor.shape) == RANK for tensor in elementwise.computed(operator)):
        return False
    if operator.name in _ELEMENTWISE:
        return len(elementwise.computed(operator)) == 1
    if operator.name not in _BINARY:
        return False
    shapes = [c.shape for i in (0, 1) if (c := constant_of(operator, i)) is not None]
    return all(_even(shape, context) for shape in shapes)


def _even(shape: tuple[int, ...], context: Context) -> bool:
    """Whether a constant is the same everywhere along the reversed axes."""
    padded = (1,) * (RANK - len(shape)) + shape
    return not any(on and padded[axis + 1] > 1 for axis, on in enumerate(context.flip))


def _reverse_for(context: Context, tensor: Tensor, turned: dict[int, Operator]) -> None:
    readers = [r for r in readers_of(tensor) if id(r) in turned]
    first = min(readers, key=lambda op: op.index)
    paddings = [
        use.operator
        for use in context.editor.subgraph.consumers(tensor)
        if spatial_padding(use.operator) is not None
        and all(id(r) in turned for r in readers_of(use.operator.outputs[0]))
    ]
    place = min([first, *paddings], key=lambda op: op.index)
    made = reverse(context, place, tensor)
    mine = {id(op) for op in (*readers, *paddings)}
    for use in list(context.editor.subgraph.consumers(tensor)):
        if id(use.operator) in mine:
            context.editor.read(use.operator, use.operand, made)


def _turn_window(operator: Operator, context: Context) -> None:
    """Turns the kernel of a convolution that stays outside the sparse layout."""
    editor = context.editor
    placed = placed_window(operator)
    assert placed is not None  # noqa: S101 - see _can_turn
    key = "flipped_" + "".join(n for n, on in zip("hw", context.flip, strict=True) if on)
    rows, columns = placed.turned(context.flip)
    editor.set_weight(operator, 1, lambda filt: turned_filter(filt, context.flip), key)
    if (rows, columns) == (placed.rows, placed.columns) and placed.source is operator.inputs[0]:
        return
    pads = (rows.before, columns.before, rows.after, columns.after)
    source = placed.source
    if any(pads):
        source = pad_before(editor, operator, source, pads)
    editor.read(operator, 0, source)
    editor.set_options(operator, padding="VALID")
