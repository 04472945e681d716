"""Values that cross the border of the sparse layout.

XNNPACK has one operator that brings maps in, a 3x3 convolution with stride 2 on 3 channels, and two
that bring them out, reductions and DEPTH_TO_SPACE. Any map gets out through DEPTH_TO_SPACE and, in
NHWC again, SPACE_TO_DEPTH; and in through DEPTH_TO_SPACE, in NHWC, and such a convolution that
picks single cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.common import (
    GROUP,
    RANK,
    Context,
    Said,
    add_up,
    pad_before,
    select,
)
from tflite_sparse.rewrite.adapt.passes.mirror import reverse
from tflite_sparse.rewrite.adapt.passes.windows import (
    fitted,
    is_pointwise,
    is_spelled_out,
    turned_filter,
)
from tflite_sparse.rewrite.adapt.regions.region import readers_of
from tflite_sparse.rewrite.adapt.window import placed_window, spatial_padding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor

__all__ = ["bring_in", "bring_out", "make_stem", "reduce_out", "turn_depth_to_space"]

_BLOCK = 2
_CHANNELS = 3
_STEM = 3


def make_stem(operator: Operator, context: Context) -> Said:
    """Makes a convolution over the image the 3x3 convolution with padding 1 that enters."""
    editor = context.editor
    placed = placed_window(operator)
    assert placed is not None  # noqa: S101 - see stem_refusal
    rows, columns = placed.turned(context.flip)
    missing = _CHANNELS - placed.source.shape[3]
    if not any(context.flip) and not missing and is_spelled_out(operator, placed, _STEM):
        return None

    def change(filt: NDArray[Any]) -> NDArray[Any]:
        window = fitted(turned_filter(filt, context.flip), rows, columns, _STEM)
        return np.pad(window, ((0, 0), (0, 0), (0, 0), (0, missing)))

    plain = placed.rows.kernel == placed.columns.kernel == _STEM
    if not plain or missing or any(context.flip):
        turned = "".join(n for n, on in zip("hw", context.flip, strict=True) if on)
        editor.set_weight(operator, 1, change, f"entry_{turned}" if turned else "entry")
    source = placed.source
    if missing:
        # XNNPACK fuses only the PAD next to the convolution, and only one of height and width.
        source = pad_before(editor, operator, source, (0, 0, 0, 0), missing)
    editor.read(operator, 0, pad_before(editor, operator, source, (1, 1, 1, 1)))
    editor.set_options(operator, padding="VALID", dilation_h_factor=1, dilation_w_factor=1)
    if len(operator.inputs) <= 2 or operator.inputs[2] is None:  # noqa: PLR2004 - a bias
        zeros = np.zeros(operator.outputs[0].shape[3], np.float32)
        editor.read(operator, 2, editor.constant(zeros, f"{operator.outputs[0].name}/bias"))
    pads = (placed.rows.before, placed.rows.after, placed.columns.before, placed.columns.after)
    what = "padded 1 on each side" + (", its kernel turned" if any(context.flip) else "")
    what += f", {missing} zero channels added" if missing else ""
    why = f"it pads {pads[0]},{pads[1]} and {pads[2]},{pads[3]}; an entry needs 1 on each side"
    if pads == (1, 1, 1, 1):
        why = "an entry needs its padding spelled out"
    return ("windows", what, f"{why}, and 3 channels" if missing else why)


def bring_in(tensor: Tensor, context: Context, readers: list[Operator]) -> Said:
    """Brings a map into the sparse layout for the members that read it.

    Twelve channels at a time become maps of three channels with twice the height and width, in
    which the window of an entry reaches all twelve values of a cell; its kernel picks them.

    Args:
        tensor: the map.
        context: the members, and the editor.
        readers: gets the operators that read the map itself now.
    """
    editor, graph = context.editor, context.editor.subgraph
    producer = graph.producer(tensor)
    place = graph.operators[0] if producer is None else editor.after(producer)
    assert place is not None  # noqa: S101 - the members come after it
    movers = _moving(tensor, context)
    result = editor.value(tensor.shape, tensor, f"{tensor.name}/sparse")
    for op in movers:
        for operand, read in enumerate(op.inputs):
            if read is tensor:
                editor.read(op, operand, result)
    channels = tensor.shape[3]
    starts = range(0, channels, GROUP)
    parts = []
    for first in starts:
        last = min(first + GROUP, channels)
        group = tensor if len(starts) == 1 else _slice(editor, place, tensor, first, last)
        if last - first < GROUP:
            group = pad_before(editor, place, group, (0, 0, 0, 0), first + GROUP - last)
        into = result if len(starts) == 1 else None
        parts.append(_enter(place, group, (first, last), tensor, into, context))
    if len(starts) > 1:
        add_up(editor, place, parts, result)
    first = 0 if producer is None else producer.index
    readers += [
        use.operator
        for use in graph.consumers(tensor)
        if first <= use.operator.index < place.index and use.operator not in readers
    ]
    return (
        "entries",
        f"{len(starts)} entries bring {tensor.shape[1]}x{tensor.shape[2]}x{channels} in",
        "what reads it can run sparse",
    )


def _enter(
    place: Operator,
    group: Tensor,
    channels: tuple[int, int],
    tensor: Tensor,
    output: Tensor | None,
    context: Context,
) -> Tensor:
    """Puts twelve channels of a map in their places among all of its channels."""
    editor = context.editor
    batch, height, width, total = tensor.shape
    if output is None:
        output = editor.value(tensor.shape, tensor, f"{tensor.name}/entered")
    large = editor.value(
        (batch, height * _BLOCK, width * _BLOCK, _CHANNELS), tensor, f"{tensor.name}/spread"
    )
    editor.before(place, "DEPTH_TO_SPACE", [group], [large], block_size=_BLOCK)
    kernel = np.zeros((total, _STEM, _STEM, _CHANNELS), np.float32)
    chosen = np.arange(*channels)
    cell, channel = np.divmod(chosen - channels[0], _CHANNELS)
    kernel[chosen, cell // _BLOCK + 1, cell % _BLOCK + 1, channel] = 1
    filters = editor.constant(kernel, f"{output.name}/filter")
    bias = editor.constant(np.zeros(total, np.float32), f"{output.name}/bias")
    padded = pad_before(editor, place, large, (1, 1, 1, 1))
    editor.before(
        place, "CONV_2D", [padded, filters, bias], [output],
        padding="VALID", stride_h=2, stride_w=2,
    )  # fmt: skip
    return output


def bring_out(tensor: Tensor, context: Context) -> Said:
    """Brings a map out of the sparse layout for what reads it outside."""
    editor, graph = context.editor, context.editor.subgraph
    producer = graph.producer(tensor)
    assert producer is not None  # noqa: S101 - members compute it
    movers = _moving(tensor, context)
    made = editor.split(tensor, "/sparse", movers)
    place = editor.after(producer)
    batch, height, width, channels = tensor.shape
    full = -(-channels // RANK) * RANK
    value = made
    if full != channels:
        if not movers and _can_widen(producer, context):
            value = _widen(producer, full, context)
        else:
            eye = np.eye(full, channels, dtype=np.float32)
            value = select(editor, place, made, eye, f"{tensor.name}/widened")
    large = editor.value(
        (batch, height * _BLOCK, width * _BLOCK, full // RANK), tensor, f"{tensor.name}/spread"
    )
    editor.before(place, "DEPTH_TO_SPACE", [value], [large], block_size=_BLOCK)
    flipped = any(context.flip) and max(height, width) > 1
    last = full == channels and not flipped
    out = tensor if last else editor.value((*tensor.shape[:3], full), tensor, f"{made.name}/out")
    editor.before(place, "SPACE_TO_DEPTH", [large], [out], block_size=_BLOCK)
    if full != channels:
        output = None if flipped else tensor
        out = _slice(editor, place, out, 0, channels, output)
    if flipped:
        reverse(context, place, out, tensor)
    return (
        "exits",
        f"DEPTH_TO_SPACE and SPACE_TO_DEPTH bring {height}x{width}x{channels} out",
        "it is read outside the sparse layout",
    )


def reduce_out(operator: Operator, context: Context) -> Said:
    """Lets a reduction end the sparse layout: it drops its dimensions, a RESHAPE restores them.

    With its dimensions kept, the runtime takes what comes out for NCHW where it matters, see
    docs/runtime-model.md.
    """
    editor = context.editor
    result = operator.outputs[0]
    if not operator.option("keep_dims", default=False) or not context.allows("heads"):
        return None
    flat = editor.value((result.shape[0], result.shape[3]), result, f"{result.name}/flat")
    editor.write(operator, 0, flat)
    editor.set_options(operator, keep_dims=False)
    shape = editor.constant(np.array([-1, 1, 1, result.shape[3]], np.int32), f"{flat.name}/shape")
    editor.before(editor.after(operator), "RESHAPE", [flat, shape], [result])
    return (
        "heads",
        "drops its dimensions, a RESHAPE restores them",
        "what reads it would take NCHW for NHWC",
    )


def turn_depth_to_space(operator: Operator, context: Context) -> Said:
    """Lets a DEPTH_TO_SPACE of the model end the sparse layout on reversed maps.

    Within a block of cells the order is that of channels, which the convolution before it can
    give out in reversed order.
    """
    if not any(context.flip):
        return None
    editor = context.editor
    source, result = operator.inputs[0], operator.outputs[0]
    assert source is not None  # noqa: S101 - members read something
    block = int(operator.option("block_size", 0))
    order = np.arange(source.shape[3]).reshape(block, block, -1)
    order = turned_filter(order[None], context.flip)[0].reshape(-1)
    producer = editor.subgraph.producer(source)
    alone = len(readers_of(source)) == 1
    if producer is not None and alone and _can_widen(producer, context):
        editor.set_weight(producer, 1, lambda filt: filt[order], "reordered")
        if len(producer.inputs) > 2 and producer.inputs[2] is not None:  # noqa: PLR2004 - a bias
            editor.set_weight(producer, 2, lambda bias: bias[order], "reordered")
    else:
        matrix = np.eye(source.shape[3], dtype=np.float32)[order]
        editor.read(operator, 0, select(editor, operator, source, matrix, f"{source.name}/order"))
    turned = editor.value(result.shape, result, f"{result.name}/reversed")
    editor.write(operator, 0, turned)
    reverse(context, editor.after(operator), turned, result)
    return ("flip", "gives out blocks in reversed order, then the map", "the map is reversed")


def _moving(tensor: Tensor, context: Context) -> list[Operator]:
    """The members that read a map, and the PADs through which they do."""
    found = []
    for use in tensor.subgraph.consumers(tensor):
        op = use.operator
        if spatial_padding(op) is None:
            inside = id(op) in context.members
        else:
            inside = all(id(r) in context.members for r in readers_of(op.outputs[0]))
        if inside and op not in found:
            found.append(op)
    return found


def _slice(
    editor: Any,
    place: Operator | None,
    tensor: Tensor,
    first: int,
    last: int,
    output: Tensor | None = None,
) -> Tensor:
    """Some channels of a map, by a STRIDED_SLICE in front of an operator."""
    shape = (*tensor.shape[:3], last - first)
    made = editor.value(shape, tensor, f"{tensor.name}/sliced") if output is None else output
    numbers = ([0, 0, 0, first], [0, 0, 0, last], [1, 1, 1, 1])
    begin, end, strides = (
        editor.constant(np.array(values, np.int32), f"{made.name}/{name}")
        for values, name in zip(numbers, ("begin", "end", "strides"), strict=True)
    )
    # Whole along the batch, height and width: a caller may change the batch.
    editor.before(
        place, "STRIDED_SLICE", [tensor, begin, end, strides], [made], begin_mask=7, end_mask=7
    )
    return made


def _can_widen(producer: Operator, context: Context) -> bool:
    return (
        producer.name == "CONV_2D"
        and is_pointwise(producer)
        and id(producer) in context.members
        and len(producer.inputs) > 2  # noqa: PLR2004 - a bias
        and producer.inputs[2] is not None
    )


def _widen(producer: Operator, channels: int, context: Context) -> Tensor:
    """Gives a 1x1 convolution more output channels, which are zero; what it writes then."""
    editor = context.editor
    narrow = producer.outputs[0]
    more = channels - narrow.shape[3]
    editor.set_weight(
        producer, 1, lambda f: np.pad(f, ((0, more), (0, 0), (0, 0), (0, 0))), f"wide_{channels}"
    )
    editor.set_weight(producer, 2, lambda bias: np.pad(bias, (0, more)), f"wide_{channels}")
    wide = editor.value((*narrow.shape[:3], channels), narrow, f"{narrow.name}/widened")
    editor.write(producer, 0, wide)
    return wide
