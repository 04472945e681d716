"""Convolutions in the sparse layout: 1x1 with stride 1, depthwise in a window that has a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.convolution import convolution_refusal, give_bias, ungrouped
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.passes.mirror import MIRROR
from tflite_sparse.rewrite.adapt.passes.windows import WINDOWS
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.window import placed_window, window_of
from tflite_sparse.rewrite.adapt.window_fit import (
    SIZES,
    axis_letters,
    fit_kernel,
    has_plain_window,
    mirrored_filter,
    set_window,
    window_size,
)

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.window import Axis, Mirrored, Placed

__all__ = [
    "depthwise_refusal",
    "make_depthwise",
    "make_pointwise",
    "pointwise_refusal",
    "window_refusal",
]

_STRIDES = (1, 2)
_GROUPS = "there are no sparse kernels for groups"


def pointwise_refusal(operator: Operator, context: Context) -> str | None:
    """Why a 1x1 CONV_2D has no sparse form."""
    refusal = convolution_refusal(operator)
    placed = placed_window(operator)
    if refusal is not None or placed is None:
        return refusal or "has no known size"
    rows, columns = placed.axes(context.mirrored)
    if (rows.stride, columns.stride) == (1, 1):
        plain = placed.source is operator.inputs[0] and rows.inside and columns.inside
        return None if plain else "has a 1x1 kernel and padding"
    if not context.allows(WINDOWS):
        return "has a 1x1 kernel and a stride"
    return None if window_size(rows, columns) == SIZES[0] else "has a stride that does not fit"


def make_pointwise(operator: Operator, context: Context) -> Applied | None:
    """Takes a stride out of a 1x1 convolution; a depthwise one before it picks the cells."""
    editor = context.editor
    give_bias(operator, context)
    placed = window_of(operator)
    rows, columns = placed.axes(context.mirrored)
    source = placed.source
    channels = source.shape[3]
    grouped = present(operator.inputs[1]).shape[3] != channels
    if grouped:
        editor.set_weight(
            operator, 1, lambda filt: ungrouped(filt, channels), f"ungrouped_{channels}"
        )
    if (rows.stride, columns.stride) == (1, 1):
        if grouped:
            return Applied("has zeros in its filter for other groups", _GROUPS, CANONICALIZE)
        return None
    ones = np.ones((1, 1, 1, channels), np.float32)
    shape = (source.shape[0], rows.outputs, columns.outputs, channels)
    picked = editor.value(shape, source, f"{source.name}/strided")
    filters = editor.constant(fit_kernel(ones, rows, columns, SIZES[0]), f"{picked.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{picked.name}/bias")
    depthwise = editor.before(
        operator, "DEPTHWISE_CONV_2D", [source, filters, bias], [picked], depth_multiplier=1
    )
    set_window(depthwise, context, source, rows.stride, SIZES[0])
    editor.read(operator, 0, picked)
    editor.set_options(operator, stride_h=1, stride_w=1, padding="VALID")
    return Applied(
        "a depthwise convolution before it takes every other cell",
        "a 1x1 convolution must have stride 1",
    )


def depthwise_refusal(operator: Operator, context: Context) -> str | None:
    """Why a DEPTHWISE_CONV_2D has no sparse form."""
    refusal = convolution_refusal(operator)
    placed = placed_window(operator)
    if refusal is not None or placed is None:
        return refusal or "has no known size"
    if operator.outputs[0].shape[3] != placed.source.shape[3]:
        return "has a depth multiplier above 1"
    return window_refusal(placed, context)


def window_refusal(placed: Placed, context: Context) -> str | None:
    """Why a window has no sparse form."""
    rows, columns = placed.axes(context.mirrored)
    if rows.stride != columns.stride or rows.stride not in _STRIDES:
        return f"has stride {rows.stride}x{columns.stride}"
    size = window_size(rows, columns)
    if size is None:
        return "has a kernel and padding that fit into no 3x3 or 5x5 window"
    if not context.allows(WINDOWS) and size != max(placed.rows.reach, placed.columns.reach):
        return f"has padding that only fits with pass {WINDOWS.name}"
    return None


def make_depthwise(operator: Operator, context: Context) -> Applied | None:
    """Fits a depthwise convolution into its window."""
    give_bias(operator, context)
    placed = window_of(operator)
    mirrored = context.mirrored
    rows, columns = placed.axes(mirrored)
    size = present(window_size(rows, columns))
    if not any(mirrored) and has_plain_window(operator, placed, size):
        return None
    plain = (size, size) == (placed.rows.kernel, placed.columns.kernel)
    if not plain or any(mirrored):
        context.editor.set_weight(
            operator,
            1,
            lambda filt: fit_kernel(mirrored_filter(filt, mirrored), rows, columns, size),
            _key(rows, columns, size, mirrored),
        )
    set_window(operator, context, placed.source, rows.stride, size)
    return _change_of_window(placed, size, mirrored)


def _change_of_window(placed: Placed, size: int, mirrored: Mirrored) -> Applied:
    """What became of a window, and why."""
    axes, pad = (placed.rows, placed.columns), (size - 1) // 2
    kernel = tuple(axis.kernel for axis in axes)
    turned = ", its kernel turned" if any(mirrored) else ""
    even = all((axis.before, axis.after) == (pad, pad) for axis in axes)
    if kernel == (size, size) and even:
        if axes[0].stride == 1:
            return Applied("turned its kernel", "the map is reversed", MIRROR)
        why = "sparse kernels need explicit padding"
        return Applied(f"made its padding explicit{turned}", why)
    what = f"placed its {kernel[0]}x{kernel[1]} kernel in a {size}x{size} window"
    if kernel == (size, size):
        what = f"padded {pad} on every side{turned}"
    pads = " and ".join(f"{axis.before},{axis.after}" for axis in axes)
    return Applied(what, f"it pads {pads}; a {size}x{size} window needs {pad} on every side")


def _key(rows: Axis, columns: Axis, size: int, mirrored: Mirrored) -> str:
    letters = axis_letters(mirrored)
    shift = f"{rows.offset(size)}_{columns.offset(size)}"
    return f"{size}x{size}_at_{shift}" + (f"_flipped_{letters}" if letters else "")
