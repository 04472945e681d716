"""Builds the sparse forms of a KxK convolution."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import add_up, select
from tflite_sparse.rewrite.adapt.convolution import ungrouped
from tflite_sparse.rewrite.adapt.kxk.price import separable_windows
from tflite_sparse.rewrite.adapt.kxk.shifts import IN_PLACE, SHIFT_WINDOW, shift_of
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.queries import has_bias, present
from tflite_sparse.rewrite.adapt.window import window_of
from tflite_sparse.rewrite.adapt.window_fit import set_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.kxk.shifts import Shift

__all__ = ["build_by_taps", "build_separable"]

_BIAS = 2
_ONE_BY_ONE = {"padding": "VALID", "stride_h": 1, "stride_w": 1}


def build_by_taps(operator: Operator, context: Context) -> None:
    """Makes a convolution a sum, over its taps, of 1x1 convolutions of shifted maps.

    The bias goes to the first product, the activation to the sum. Convolutions that read the same
    map share its shifts.
    """
    editor, result = context.editor, operator.outputs[0]
    source = window_of(operator).source
    taps = taps_of(operator, context.mirrored)
    activation = operator.option("fused_activation_function", "NONE")
    alone = len(taps) == 1
    stride = taps[0].rows.stride
    parts = []
    for number, tap in enumerate(taps):
        shifted = _shifted(operator, source, present(shift_of(tap)), stride, context)
        part = result if alone else editor.value(result.shape, result, f"{result.name}/tap")
        product = _product(
            operator,
            shifted,
            part,
            itemgetter(
                (slice(None), slice(tap.row, tap.row + 1), slice(tap.column, tap.column + 1))
            ),
            f"tap_{tap.row}_{tap.column}",
            _bias(operator, context) if number == 0 else _zeros(result.shape[3], context),
            context,
        )
        if alone:
            editor.set_options(product, fused_activation_function=activation)
        parts.append(part)
    if not alone:
        add_up(editor, operator, parts, result, activation)
    editor.drop(operator)


def build_separable(operator: Operator, context: Context) -> None:
    """Makes a convolution one 1x1 convolution between shifts along the height and the width.

    Copies of the map, side by side, are shifted along the height; one convolution computes what
    each shift along the width contributes; a last one adds these up, with bias and activation.
    """
    editor, result = context.editor, operator.outputs[0]
    source = window_of(operator).source
    taps = taps_of(operator, context.mirrored)
    height, width = present(separable_windows(taps))
    rows = {tap.rows.before: tap.row for tap in taps}
    columns = {tap.columns.before: tap.column for tap in taps}
    channels, outputs = source.shape[3], result.shape[3]
    copied = source
    if len(rows) > 1:
        copied = select(
            editor,
            operator,
            source,
            np.tile(np.eye(channels, dtype=np.float32), (len(rows), 1)),
            f"{result.name}/copies",
        )
    kernel = np.zeros((1, height, height, len(rows) * channels), np.float32)
    for number, before in enumerate(rows):
        own = slice(number * channels, (number + 1) * channels)
        kernel[0, height // 2 - before, height // 2, own] = 1
    moved = _depthwise(operator, copied, kernel, f"{result.name}/along_height", context)

    def joined(filt: NDArray[Any]) -> NDArray[Any]:
        chosen = filt[:, list(rows.values())][:, :, list(columns.values())]
        # From (output, row, column, channel) to (column and output, row and channel).
        matrix = chosen.transpose(2, 0, 1, 3).reshape(len(columns) * outputs, 1, 1, -1)
        return np.ascontiguousarray(matrix)

    shape = (*result.shape[:3], len(columns) * outputs)
    product = editor.value(shape, result, f"{result.name}/columns")
    key = f"rows_{'_'.join(map(str, rows.values()))}_columns_{'_'.join(map(str, columns.values()))}"
    bias = _zeros(len(columns) * outputs, context)
    _product(operator, moved, product, joined, key, bias, context)
    kernel = np.zeros((1, width, width, len(columns) * outputs), np.float32)
    for number, before in enumerate(columns):
        own = slice(number * outputs, (number + 1) * outputs)
        kernel[0, width // 2, width // 2 - before, own] = 1
    spread = _depthwise(operator, product, kernel, f"{result.name}/along_width", context)
    total = np.tile(np.eye(outputs, dtype=np.float32), (1, len(columns)))
    filters = editor.constant(total.reshape(outputs, 1, 1, -1), f"{result.name}/sum/filter")
    activation = operator.option("fused_activation_function", "NONE")
    editor.before(
        operator,
        "CONV_2D",
        [spread, filters, _bias(operator, context)],
        [result],
        fused_activation_function=activation,
        **_ONE_BY_ONE,
    )
    editor.drop(operator)


def _product(
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
    product = editor.before(operator, "CONV_2D", inputs, [output], **_ONE_BY_ONE)
    channels = window_of(operator).source.shape[3]
    own = f"{key}_of_{channels}"
    editor.set_weight(product, 1, lambda filt: change(ungrouped(filt, channels)), own)
    return product


def _shifted(
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
            first, step = _shifted(operator, source, parent, stride, context), shift.last_step
        kernel = np.zeros((1, SHIFT_WINDOW, SHIFT_WINDOW, source.shape[3]), np.float32)
        kernel[:, SHIFT_WINDOW // 2 - step[0], SHIFT_WINDOW // 2 - step[1]] = 1
        own = stride if parent is None else 1
        shape = (first.shape[0], *((n - 1) // own + 1 for n in first.shape[1:3]), first.shape[3])
        name = f"{source.name}/shifted"
        context.shared[key] = _depthwise(operator, first, kernel, name, context, shape, own)
    return context.shared[key]


def _depthwise(
    operator: Operator,
    source: Tensor,
    kernel: NDArray[np.float32],
    name: str,
    context: Context,
    shape: Sequence[int] = (),
    stride: int = 1,
) -> Tensor:
    """A depthwise convolution before the operator; returns its output."""
    editor = context.editor
    key = ("kernel", kernel.shape, kernel.tobytes())
    if key not in context.shared:
        context.shared[key] = editor.constant(kernel, f"{name}/filter")
    output = editor.value(shape or source.shape, source, name)
    inputs = [source, context.shared[key], _zeros(kernel.shape[3], context)]
    depthwise = editor.before(operator, "DEPTHWISE_CONV_2D", inputs, [output], depth_multiplier=1)
    set_window(depthwise, context, source, stride, kernel.shape[1])
    return output


def _zeros(channels: int, context: Context) -> Tensor:
    """A bias of zeros, which all that need one of its size share."""
    key = ("zeros", channels)
    if key not in context.shared:
        zeros = np.zeros(channels, np.float32)
        context.shared[key] = context.editor.constant(zeros, f"zeros_{channels}")
    return context.shared[key]


def _bias(operator: Operator, context: Context) -> Tensor:
    if has_bias(operator):
        return present(operator.inputs[_BIAS])
    return _zeros(operator.outputs[0].shape[3], context)
