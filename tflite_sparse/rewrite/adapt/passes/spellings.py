"""Operators of maps that are another operator in disguise: each becomes that, at no price.

A convolution with a group for each channel is a depthwise one; FULLY_CONNECTED on a map is a 1x1
convolution; RELU_0_TO_1 is two clamps that XNNPACK takes; SPLIT along the channels is a slice for
each part; a shuffle of channels by RESHAPE and TRANSPOSE is a 1x1 convolution of ones and zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.build import select, slice_channels
from tflite_sparse.rewrite.adapt.convolution import convolution_refusal
from tflite_sparse.rewrite.adapt.queries import (
    ACTIVATIONS,
    RANK,
    constant_of,
    has_bias,
    integers_of,
    is_map,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["respell"]

_BIAS = 2
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
    filt = constant_of(op, 1)
    if source is None or filt is None or filt.dtype.str[1:] not in ("f2", "f4"):
        return None
    if not is_map(source) or not is_map(result) or source.shape[:3] != result.shape[:3]:
        return None
    if max(source.shape[1:3]) == 1 or filt.shape != (result.shape[3], source.shape[3]):
        return None
    if has_bias(op) and constant_of(op, _BIAS) is None:
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
    """A RESHAPE that ends the shuffle: two before it part the channels, and swap the parts."""
    result = op.outputs[0]
    transpose = _producer(op)
    if transpose is None or transpose.name != "TRANSPOSE" or not is_map(result):
        return None
    parting = _producer(transpose)
    if parting is None or parting.name != "RESHAPE":
        return None
    source, parted = next(iter(parting.inputs), None), parting.outputs[0].shape
    if (
        source is None
        or not is_map(source)
        or source.shape != result.shape
        or parted[:3] != source.shape[:3]
    ):
        return None
    if len(parted) != RANK + 1 or integers_of(transpose, 1) != (0, 1, 2, 4, 3):
        return None
    channels = source.shape[3]
    order = np.arange(channels).reshape(parted[3:]).T.reshape(-1)
    matrix = np.eye(channels, dtype=np.float32)[order]
    select(editor, op, source, matrix, f"{result.name}/shuffled", result)
    editor.drop(op)
    return "became a 1x1 convolution with the TRANSPOSE before it", "it puts channels in an order"


# Operands without which an operator of a damaged file is left alone.
_LEAST = {"CONV_2D": 2, "FULLY_CONNECTED": 2, "SPLIT": 2, "SPLIT_V": 3, "RELU_0_TO_1": 1}

_SPELLINGS = {
    "CONV_2D": (_depthwise,),
    "FULLY_CONNECTED": (_pointwise,),
    "RELU_0_TO_1": (_clamps,),
    "SPLIT": (_slices,),
    "SPLIT_V": (_slices,),
    "RESHAPE": (_shuffle,),
}
