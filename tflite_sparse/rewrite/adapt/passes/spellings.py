"""Operators of maps that are another operator in disguise: each becomes that, at no price.

A convolution with a group for each channel is a depthwise one; FULLY_CONNECTED on a map is a 1x1
convolution; RELU_0_TO_1 is two clamps that XNNPACK takes; SPLIT along the channels is a slice for
each part; a shuffle of channels by RESHAPE and TRANSPOSE is a 1x1 convolution of ones and zeros;
MEAN of a map whose channels were put first is one of the map as it was.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import select, slice_channels
from tflite_sparse.rewrite.adapt.convolution import convolution_refusal
from tflite_sparse.rewrite.adapt.queries import (
    ACTIVATIONS,
    RANK,
    UNARY_KINDS,
    has_bias,
    integers_of,
    is_map,
    movable_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["respell"]

_BIAS = 2
_VIEWS = ("RESHAPE", "TRANSPOSE")
_MOST_VIEWS = 6
_KEEP_BATCH = frozenset(
    {
        "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "MAX_POOL_2D", "AVERAGE_POOL_2D", "ADD",
        "MUL", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", *UNARY_KINDS,
    }
)  # fmt: skip
_WINDOW = (
    "padding", "stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor",
    "fused_activation_function",
)  # fmt: skip


def respell(editor: Editor, note: Callable[[str, str, str], None]) -> None:
    """Writes all such operators of a subgraph as what they are.

    Args:
        editor: edits the subgraph.
        note: records a change: the label of the operator, what was done, and why.
    """
    for op in list(editor.subgraph.operators):
        if editor.is_gone(op) or not op.outputs or len(op.inputs) < _LEAST.get(op.name, 0):
            continue
        label = editor.label(op)
        for respelled in _SPELLINGS.get(op.name, ()):
            words = respelled(editor, op)
            if words is not None:
                note(label, *words)
                break
    editor.sweep()


def _depthwise(editor: Editor, op: Operator) -> tuple[str, str] | None:
    source, filt = op.inputs[:2]
    if convolution_refusal(op) is not None or source is None or filt is None:
        return None
    channels = source.shape[3]
    if channels == 1 or filt.shape[3] != 1 or filt.shape[0] != channels:
        return None
    inputs = _with_bias(editor, op)
    options = {name: op.option(name) for name in _WINDOW if op.option(name) is not None}
    twin = editor.before(op, "DEPTHWISE_CONV_2D", inputs, op.outputs, depth_multiplier=1, **options)
    # From (channel, height, width, 1) to (1, height, width, channel).
    editor.set_weight(twin, 1, lambda values: values.transpose(3, 1, 2, 0), "depthwise")
    editor.drop(op)
    return "became a depthwise convolution", "it has a group for each channel"


def _pointwise(editor: Editor, op: Operator) -> tuple[str, str] | None:
    source, result = op.inputs[0], op.outputs[0]
    filt = movable_of(op, 1)
    if source is None or filt is None:
        return None
    if not is_map(source) or not is_map(result) or source.shape[:3] != result.shape[:3]:
        return None
    if max(source.shape[1:3]) == 1 or filt.shape != (result.shape[3], source.shape[3]):
        return None
    if has_bias(op) and movable_of(op, _BIAS) is None:
        return None
    activation = op.option("fused_activation_function", "NONE")
    if activation not in ACTIVATIONS or op.option("weights_format", "DEFAULT") != "DEFAULT":
        return None
    twin = editor.before(
        op, "CONV_2D", _with_bias(editor, op), [result],
        padding="VALID", stride_h=1, stride_w=1, fused_activation_function=activation,
    )  # fmt: skip
    editor.set_weight(twin, 1, lambda values: values[:, None, None, :], "map")
    editor.drop(op)
    return "became a 1x1 convolution", "FULLY_CONNECTED on a map is one"


def _with_bias(editor: Editor, op: Operator) -> list[Tensor | None]:
    """What a convolution in place of an operator reads: no convolution runs without a bias."""
    if has_bias(op):
        return list(op.inputs[: _BIAS + 1])
    result = op.outputs[0]
    zeros = np.zeros(result.shape[3], np.float32)
    return [*op.inputs[:_BIAS], editor.constant(zeros, f"{result.name}/bias")]


def _clamps(editor: Editor, op: Operator) -> tuple[str, str] | None:
    source, result = op.inputs[0], op.outputs[0]
    if source is None or not is_map(source):
        return None
    positive = editor.value(result.shape, result, f"{result.name}/positive")
    editor.before(op, "RELU", [source], [positive])
    editor.before(op, "RELU_N1_TO_1", [positive], [result])
    editor.drop(op)
    return "became RELU and RELU_N1_TO_1", "XNNPACK does not take RELU_0_TO_1"


def _slices(editor: Editor, op: Operator) -> tuple[str, str] | None:
    value, axis = (1, 0) if op.name == "SPLIT" else (0, 2)
    source, axes = op.inputs[value], integers_of(op, axis)
    if source is None or not axes or not is_map(source) or axes[0] % RANK != RANK - 1:
        return None
    if not all(map(is_map, op.outputs)):
        return None
    if sum(output.shape[3] for output in op.outputs) != source.shape[3]:
        return None
    first = 0
    for output in op.outputs:
        channels = range(first, first + output.shape[3])
        slice_channels(editor, op, source, channels, output)
        first = channels.stop
    editor.drop(op)
    return "became a slice for each part", f"{op.name} has no sparse form"


def _producer(op: Operator) -> Operator | None:
    """What computes the first input of an operator."""
    source = next(iter(op.inputs), None)
    return None if source is None else op.subgraph.producer(source)


def _shuffle(editor: Editor, op: Operator) -> tuple[str, str] | None:
    """The last of some RESHAPEs and TRANSPOSEs that together put channels in an order."""
    result = op.outputs[0]
    views = [op]
    while is_map(result) and len(views) < _MOST_VIEWS:
        before = _producer(views[-1])
        if before is None or before.name not in _VIEWS or not before.outputs:
            break
        views.append(before)
        source = next(iter(before.inputs), None)
        if source is None or not is_map(source) or source.shape != result.shape:
            continue
        order = _order(source.shape, views[::-1])
        if order is None:
            continue
        matrix = np.eye(source.shape[3], dtype=np.float32)[order]
        select(editor, op, source, matrix, f"{result.name}/shuffled", result)
        editor.drop(op)
        return "became a 1x1 convolution with those before it", "it puts channels in an order"
    return None


def _order(shape: tuple[int, ...], views: list[Operator]) -> NDArray[np.int64] | None:
    """The order in which channels come out of some views of a map; None where more is moved."""
    cells = np.arange(math.prod(shape))
    moved = cells.reshape(shape)
    for view in views:
        if view.name == "TRANSPOSE":
            order = integers_of(view, 1)
            if order is None or sorted(order) != list(range(moved.ndim)):
                return None
            moved = moved.transpose(order)
        if math.prod(view.outputs[0].shape) != cells.size:
            return None
        moved = moved.reshape(view.outputs[0].shape)
    channels = moved.reshape(-1, shape[3])
    order_of_first = channels[0]
    expected = cells[:: shape[3], None] + order_of_first
    same = order_of_first.max() < shape[3] and np.array_equal(channels, expected)
    return order_of_first if same else None


def _mean(editor: Editor, op: Operator) -> tuple[str, str] | None:
    """A mean of a map whose channels were put first."""
    transpose, axes = _producer(op), integers_of(op, 1)
    if transpose is None or transpose.name != "TRANSPOSE" or op.option("keep_dims", default=False):
        return None
    source, order = next(iter(transpose.inputs), None), integers_of(transpose, 1)
    if source is None or not is_map(source) or order is None or axes is None:
        return None
    if sorted(order) != list(range(RANK)) or not all(-RANK <= axis < RANK for axis in axes):
        return None
    gone = {axis % RANK for axis in axes}
    left = [order[axis] for axis in range(RANK) if axis not in gone]
    if left != sorted(left):
        return None
    result = op.outputs[0]
    constant = np.array(sorted(order[axis] for axis in gone), np.int32)
    editor.read(op, 0, source)
    editor.read(op, 1, editor.constant(constant, f"{result.name}/axes"))
    return "reads the map as it was before a TRANSPOSE", "no TRANSPOSE has a sparse form"


def _joined(editor: Editor, op: Operator) -> tuple[str, str] | None:
    """A CONCATENATION of what another one has joined already, and more."""
    if not _joins_channels(op):
        return None
    parts, joined, most = _parts(op), None, 1
    for other in op.subgraph.operators[: op.index]:
        if other.name != "CONCATENATION" or not other.outputs or not _joins_channels(other):
            continue
        own = _parts(other)
        if not most < len(own) < len(parts) or own != parts[: len(own)]:
            continue
        # Where 1x1 convolutions alone read it, it vanishes in them.
        readers = [use.operator for use in op.subgraph.consumers(other.outputs[0])]
        if any(reader.name != "CONV_2D" for reader in readers):
            joined, most = other, len(own)
    if joined is None or op.inputs[0] is joined.outputs[0]:
        return None
    editor.set_inputs(op, [joined.outputs[0], *parts[most:]])
    return "reads what another CONCATENATION has joined", "each map that is joined is written anew"


def _parts(op: Operator) -> list[Tensor | None]:
    """What a CONCATENATION joins, with what the first of its inputs was joined of."""
    before = _producer(op)
    if before is None or before.name != "CONCATENATION" or not _joins_channels(before):
        return list(op.inputs)
    return [*_parts(before), *op.inputs[1:]]


def _joins_channels(op: Operator) -> bool:
    return (
        all(map(is_map, op.inputs))
        and op.option("axis", 0) % RANK == RANK - 1
        and op.option("fused_activation_function", "NONE") == "NONE"
    )


def _shape(editor: Editor, op: Operator) -> tuple[str, str] | None:
    """The shape of a map of which the batch alone is read: that of the model's input."""
    source, graph = next(iter(op.inputs), None), op.subgraph
    if (
        source is None
        or not is_map(source)
        or not all(
            use.operator.name == "STRIDED_SLICE"
            and [integers_of(use.operator, n) for n in (1, 2, 3)] == [(0,), (1,), (1,)]
            for use in graph.consumers(op.outputs[0])
        )
    ):
        return None
    first: Tensor | None = source
    while first is not None and first not in graph.inputs:
        producer = graph.producer(first)
        joins = producer is not None and producer.name == "CONCATENATION"
        if producer is None or not (producer.name in _KEEP_BATCH or joins):
            return None
        if joins and not _joins_channels(producer):
            return None
        values = [tensor for tensor in producer.inputs if is_map(tensor)]
        computed = [t for t in values if t is not None and not t.is_constant]
        first = computed[-1 if producer.name == "TRANSPOSE_CONV" else 0] if computed else None
    if first is None or first is source or first.shape[:1] != source.shape[:1]:
        return None
    if (first.shape_signature or (0,))[0] != (source.shape_signature or (0,))[0]:
        return None
    editor.read(op, 0, first)
    return "reads the batch of the model's input", "a map that it reads must leave the layout"


# Operands without which an operator of a damaged file is left alone.
_LEAST = {
    "CONV_2D": 2, "FULLY_CONNECTED": 2, "SPLIT": 2, "SPLIT_V": 3, "RELU_0_TO_1": 1, "MEAN": 2,
    "CONCATENATION": 3, "SHAPE": 1,
}  # fmt: skip

_SPELLINGS = {
    "CONV_2D": (_depthwise,),
    "FULLY_CONNECTED": (_pointwise,),
    "RELU_0_TO_1": (_clamps,),
    "SPLIT": (_slices,),
    "SPLIT_V": (_slices,),
    "RESHAPE": (_shuffle,),
    "TRANSPOSE": (_shuffle,),
    "SHAPE": (_shape,),
    "MEAN": (_mean,),
    "CONCATENATION": (_joined,),
}
