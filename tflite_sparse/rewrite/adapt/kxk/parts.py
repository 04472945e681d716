"""The operators that the sparse forms of a KxK convolution are made of: shifts and products."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.convolution import ungrouped
from tflite_sparse.rewrite.adapt.kxk.shifts import IN_PLACE, SHIFT_WINDOW
from tflite_sparse.rewrite.adapt.queries import has_bias, present
from tflite_sparse.rewrite.adapt.window import window_of
from tflite_sparse.rewrite.adapt.window_fit import set_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.kxk.shifts import Shift
    from tflite_sparse.rewrite.adapt.kxk.taps import Tap

__all__ = [
    "ONE_BY_ONE",
    "bias_of",
    "convolved",
    "depthwise",
    "one_step",
    "product",
    "shifted",
    "tap_product",
    "zeros",
]

_BIAS = 2
ONE_BY_ONE = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
"""Options of a 1x1 convolution."""


def tap_product(
    operator: Operator, tap: Tap, source: Tensor, output: Tensor, bias: Tensor, context: Context
) -> Operator:
    """The 1x1 convolution of a shifted map with the filter of a tap."""
    rows, columns = slice(tap.row, tap.row + 1), slice(tap.column, tap.column + 1)
    cells = itemgetter((slice(None), rows, columns))
    key = f"tap_{tap.row}_{tap.column}"
    return product(operator, source, output, cells, key, bias, context)


def product(
    operator: Operator,
    source: Tensor,
    output: Tensor,
    change: Callable[[Any], Any],
    key: str,
    bias: Tensor,
    context: Context,
) -> Operator:
    """A 1x1 convolution with values of the operator's filter, stored as these are."""
    editor = context.editor
    inputs = [source, operator.inputs[1], bias]
    product = editor.before(operator, "CONV_2D", inputs, [output], **ONE_BY_ONE)
    channels = window_of(operator).source.shape[3]
    own = f"{key}_of_{channels}"
    editor.set_weight(product, 1, lambda filt: change(ungrouped(filt, channels)), own)
    return product


def shifted(
    operator: Operator, source: Tensor, shift: Shift, stride: int, context: Context
) -> Tensor:
    """A shifted map; all convolutions that need it share it."""
    if stride == 1 and shift == IN_PLACE:
        return source
    key = ("shift", source, shift, stride)
    if key not in context.shared:
        parent, step = shift.parent, shift.pick
        first = source
        if parent is not None:
            first, step = shifted(operator, source, parent, stride, context), shift.last_step
        kernel = one_step(step, source.shape[3])
        own = stride if parent is None else 1
        shape = (first.shape[0], *((n - 1) // own + 1 for n in first.shape[1:3]), first.shape[3])
        name = f"{source.name}/shifted"
        context.shared[key] = depthwise(operator, first, kernel, name, context, shape, own)
    return context.shared[key]


def depthwise(
    operator: Operator,
    source: Tensor,
    kernel: NDArray[np.float32],
    name: str,
    context: Context,
    shape: Sequence[int] = (),
    stride: int = 1,
) -> Tensor:
    """A depthwise convolution before the operator; returns its output."""
    output = context.editor.value(shape or source.shape, source, name)
    convolved(operator, source, kernel, output, zeros(kernel.shape[3], context), context, stride)
    return output


def convolved(
    operator: Operator,
    source: Tensor,
    kernel: NDArray[np.float32],
    output: Tensor,
    bias: Tensor,
    context: Context,
    stride: int = 1,
) -> Operator:
    """A depthwise convolution before the operator that writes a tensor."""
    editor = context.editor
    key = ("kernel", kernel.shape, kernel.tobytes())
    if key not in context.shared:
        context.shared[key] = editor.constant(kernel, f"{output.name}/filter")
    inputs = [source, context.shared[key], bias]
    shift_operator = editor.before(
        operator, "DEPTHWISE_CONV_2D", inputs, [output], depth_multiplier=1
    )
    set_window(shift_operator, context, source, stride, kernel.shape[1])
    return shift_operator


def one_step(step: tuple[int, int], channels: int) -> NDArray[np.float32]:
    """The kernel that moves a map by a cell along height, width or both, or by none."""
    kernel = np.zeros((1, SHIFT_WINDOW, SHIFT_WINDOW, channels), np.float32)
    kernel[:, SHIFT_WINDOW // 2 - step[0], SHIFT_WINDOW // 2 - step[1]] = 1
    return kernel


def zeros(channels: int, context: Context) -> Tensor:
    """A bias of zeros, which all that need one of its size share."""
    key = ("zeros", channels)
    if key not in context.shared:
        values = np.zeros(channels, np.float32)
        context.shared[key] = context.editor.constant(values, f"zeros_{channels}")
    return context.shared[key]


def bias_of(operator: Operator, context: Context) -> Tensor:
    """The bias of a convolution, or zeros."""
    if has_bias(operator):
        return present(operator.inputs[_BIAS])
    return zeros(operator.outputs[0].shape[3], context)
