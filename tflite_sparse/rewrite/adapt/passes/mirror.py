"""Reverses maps, so that paddings fit: what comes before the sparse layout works on them too.

The image is reversed once, as near to the model's input as can be, so that XNNPACK still takes
everything after it as one partition.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import pad_before, select
from tflite_sparse.rewrite.adapt.convolution import can_widen
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, Order, RegionPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import (
    RANK,
    UNARY_KINDS,
    computed_inputs,
    constant_of,
    has_bias,
    present,
)
from tflite_sparse.rewrite.adapt.readers import readers_of
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding, window_of
from tflite_sparse.rewrite.adapt.window_fit import axis_letters, mirrored_filter

if TYPE_CHECKING:
    from collections.abc import Collection

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.regions.region import Region

__all__ = ["MIRROR", "mirror_depth_to_space", "reverse"]

_ELEMENTWISE = (*UNARY_KINDS, "CAST", "QUANTIZE", "DEQUANTIZE")
_BINARY = ("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM", "PRELU")
_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


class Mirror(RegionPass):
    """Reverses the image and all kernels, so that paddings fit."""

    name = PassName.MIRROR
    summary = "reverse the image and all kernels along height or width, so that paddings fit"
    detail = (
        "The image is reversed along height, width or both, once, and every kernel with it:"
        " paddings 0,1 become 1,0, and with stride 2 on an even size that is 1,1, because the last"
        " padded row is never read. MEAN forgets the reversal; maps that leave are reversed back."
    )
    cost = "a REVERSE_V2 at the input"
    exact = "sums in another order"
    order = Order.LAYOUT

    def change(self, region: Region) -> None:
        """Reverses what is brought in, moved up to the model's inputs."""
        context, editor = region.context, region.context.editor
        if not any(context.mirrored):
            return
        readers, starts = list(region.first_readers), list(region.entries)
        if region.stem is not None:
            readers.append(region.stem)
            starts.append(window_of(region.stem).source)
        first = region.stem or readers[0]
        editor.apply(self, first, partial(_mirror_before, context, starts, readers))


MIRROR = Mirror()


def reverse(
    context: Context, place: Operator | None, source: Tensor, output: Tensor | None = None
) -> Tensor:
    """Puts a REVERSE_V2 along the reversed axes in front of an operator; what it writes."""
    editor = context.editor
    if output is None:
        output = editor.value(source.shape, source, f"{source.name}/reversed")
        if source.quantization is not None:
            output.table["quantization"] = source.quantization
    axes = [axis + 1 for axis, on in enumerate(context.mirrored) if on]
    constant = editor.constant(np.array(axes, np.int32), f"{output.name}/axes")
    editor.before(place, "REVERSE_V2", [source, constant], [output])
    return output


def mirror_depth_to_space(operator: Operator, context: Context) -> Applied | None:
    """Lets a DEPTH_TO_SPACE of the model end the sparse layout on reversed maps.

    Within a block of cells the order is that of channels, which the convolution before it can
    give out in reversed order.
    """
    if not any(context.mirrored):
        return None
    editor = context.editor
    source, result = present(operator.inputs[0]), operator.outputs[0]
    block = int(operator.option("block_size", 0))
    order = np.arange(source.shape[3]).reshape(block, block, -1)
    order = mirrored_filter(order[None], context.mirrored)[0].reshape(-1)
    producer = editor.subgraph.producer(source)
    alone = len(readers_of(source)) == 1
    if producer is not None and alone and can_widen(producer, context):
        editor.set_weight(producer, 1, lambda filt: filt[order], "reordered")
        if has_bias(producer):
            editor.set_weight(producer, 2, lambda bias: bias[order], "reordered")
    else:
        matrix = np.eye(source.shape[3], dtype=np.float32)[order]
        editor.read(operator, 0, select(editor, operator, source, matrix, f"{source.name}/order"))
    mirrored = editor.value(result.shape, result, f"{result.name}/reversed")
    editor.write(operator, 0, mirrored)
    reverse(context, editor.after(operator), mirrored, result)
    return Applied("gives out blocks in reversed order, then the map", "the map is reversed")


def _mirror_before(context: Context, starts: list[Tensor], readers: list[Operator]) -> Applied:
    """Reverses what is brought into the sparse layout, moved up to the model's inputs.

    Args:
        context: along which axes.
        starts: the values that are brought in.
        readers: the operators that will read them reversed.
    """
    graph = context.editor.subgraph
    mirrored = dict.fromkeys(readers)
    wanted = dict.fromkeys(starts)
    for op in reversed(list(graph.operators)):
        if spatial_padding(op) is not None or not op.outputs or op.outputs[0] not in wanted:
            continue
        result = op.outputs[0]
        free = result not in graph.outputs and all(r in mirrored for r in readers_of(result))
        if free and _can_mirror(op, context):
            del wanted[result]
            mirrored[op] = None
            wanted.update(dict.fromkeys(_maps(op)))
    for tensor in wanted:
        _reverse_for(context, tensor, mirrored)
    for op in mirrored:
        if op not in readers and op.name in _WINDOWED:
            _mirror_window(op, context)
    axes = zip(("height", "width"), context.mirrored, strict=True)
    along = " and ".join(name for name, on in axes if on)
    names = ", ".join(tensor.name for tensor in wanted)
    return Applied(f"reversed {names} along {along}", "so that paddings fit")


def _maps(operator: Operator) -> list[Tensor]:
    """The maps that an operator reads."""
    if operator.name in _WINDOWED:
        placed = placed_window(operator)
        return [] if placed is None else [placed.source]
    return computed_inputs(operator)


def _can_mirror(operator: Operator, context: Context) -> bool:
    """Whether an operator works on reversed maps as well, its window turned."""
    if operator.name in _WINDOWED:
        placed = placed_window(operator)
        if placed is None or constant_of(operator, 1) is None:
            return False
        return all(axis.before >= 0 and axis.after >= 0 for axis in placed.axes(context.mirrored))
    if not all(len(tensor.shape) == RANK for tensor in computed_inputs(operator)):
        return False
    if operator.name in _ELEMENTWISE:
        return len(computed_inputs(operator)) == 1
    if operator.name not in _BINARY:
        return False
    shapes = [c.shape for i in (0, 1) if (c := constant_of(operator, i)) is not None]
    return all(_is_even(shape, context) for shape in shapes)


def _is_even(shape: tuple[int, ...], context: Context) -> bool:
    """Whether a constant is the same everywhere along the reversed axes."""
    padded = (1,) * (RANK - len(shape)) + shape
    return not any(on and padded[axis + 1] > 1 for axis, on in enumerate(context.mirrored))


def _reverse_for(context: Context, tensor: Tensor, mirrored: Collection[Operator]) -> None:
    """Lets the operators that work on reversed maps read a map through a REVERSE_V2."""
    readers = [reader for reader in readers_of(tensor) if reader in mirrored]
    paddings = [
        use.operator
        for use in context.editor.subgraph.consumers(tensor)
        if spatial_padding(use.operator) is not None
        and all(reader in mirrored for reader in readers_of(use.operator.outputs[0]))
    ]
    first = min(readers, key=lambda op: op.index)
    place = min([first, *paddings], key=lambda op: op.index)
    result = reverse(context, place, tensor)
    for use in list(context.editor.subgraph.consumers(tensor)):
        if use.operator in readers or use.operator in paddings:
            context.editor.read(use.operator, use.operand, result)


def _mirror_window(operator: Operator, context: Context) -> None:
    """Turns the kernel of a convolution that stays outside the sparse layout."""
    editor, mirrored = context.editor, context.mirrored
    placed = window_of(operator)
    rows, columns = placed.axes(mirrored)
    key = f"flipped_{axis_letters(mirrored)}"
    editor.set_weight(operator, 1, lambda filt: mirrored_filter(filt, mirrored), key)
    if (rows, columns) == (placed.rows, placed.columns) and placed.source is operator.inputs[0]:
        return
    pads = (rows.before, columns.before, rows.after, columns.after)
    source = placed.source
    if any(pads):
        source = pad_before(editor, operator, source, pads)
    editor.read(operator, 0, source)
    editor.set_options(operator, padding="VALID")
