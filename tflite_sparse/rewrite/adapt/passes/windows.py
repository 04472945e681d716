"""Convolutions and poolings in the sparse layout: fitted into a window that has a sparse form.

A depthwise kernel is placed in a 3x3 window with padding 1 or a 5x5 window with padding 2; what the
window reads beyond the kernel is multiplied by zeros. See XNNPACK src/subgraph.c,
xnn_check_nchw_compatibility, for the windows that there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.common import ACTIVATIONS, Context, Said, is_map, pad_before
from tflite_sparse.rewrite.adapt.editor import constant_of
from tflite_sparse.rewrite.adapt.window import Axis, placed_window, spatial_padding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.window import Placed

__all__ = [
    "convolution_refusal",
    "depthwise_refusal",
    "fitted",
    "is_pointwise",
    "is_spelled_out",
    "make_depthwise",
    "make_pointwise",
    "make_pool",
    "place_window",
    "pointwise_refusal",
    "pool_refusal",
    "turned_filter",
    "window_size",
]

_WINDOWS = (3, 5)
_STRIDES = (1, 2)
_FLOATS = ("f2", "f4")
_LATE = "the runtime works SAME with stride 2 out too late"


def is_pointwise(operator: Operator) -> bool:
    """Whether a CONV_2D has a 1x1 kernel."""
    filt = operator.inputs[1] if len(operator.inputs) > 1 else None
    return filt is not None and filt.shape[1:3] == (1, 1)


def convolution_refusal(operator: Operator) -> str | None:
    """Why a convolution of any kind cannot take part: its filter, maps, activation or bias."""
    filt = constant_of(operator, 1)
    if filt is None or filt.dtype.str[1:] not in _FLOATS:
        return "has a filter that is computed or not fp32 or fp16"
    if not is_map(operator.inputs[0]) or not is_map(operator.outputs[0]):
        return "does not work on 4-D fp32 maps"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return f"fuses {operator.option('fused_activation_function')}, which XNNPACK does not take"
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:  # noqa: PLR2004 - a bias
        bias = constant_of(operator, 2)
        if bias is None:
            return "has a bias that is computed"
    return None


def pointwise_refusal(operator: Operator, context: Context) -> str | None:
    """Why a 1x1 CONV_2D has no sparse form."""
    refusal = convolution_refusal(operator)
    placed = placed_window(operator)
    if refusal is not None or placed is None:
        return refusal or "has no known size"
    filt = operator.inputs[1]
    if filt is None or filt.shape[3] != placed.source.shape[3]:
        return "has groups"
    rows, columns = placed.turned(context.flip)
    if (rows.stride, columns.stride) == (1, 1):
        plain = placed.source is operator.inputs[0] and rows.inside and columns.inside
        return None if plain else "has a 1x1 kernel and padding"
    if not context.allows("windows"):
        return "has a 1x1 kernel and a stride"
    return None if window_size(rows, columns) == _WINDOWS[0] else "has a stride that does not fit"


def make_pointwise(operator: Operator, context: Context) -> Said:
    """Takes a stride out of a 1x1 convolution; a depthwise one before it picks the cells."""
    editor = context.editor
    _give_bias(operator, context)
    placed = placed_window(operator)
    assert placed is not None  # noqa: S101 - see pointwise_refusal
    rows, columns = placed.turned(context.flip)
    if (rows.stride, columns.stride) == (1, 1):
        return None
    source = placed.source
    channels = source.shape[3]
    ones = np.ones((1, 1, 1, channels), np.float32)
    shape = (source.shape[0], rows.outputs, columns.outputs, channels)
    picked = editor.value(shape, source, f"{source.name}/strided")
    filters = editor.constant(fitted(ones, rows, columns, _WINDOWS[0]), f"{picked.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{picked.name}/bias")
    depthwise = editor.before(
        operator, "DEPTHWISE_CONV_2D", [source, filters, bias], [picked], depth_multiplier=1
    )
    place_window(depthwise, context, source, rows.stride, _WINDOWS[0])
    editor.read(operator, 0, picked)
    editor.set_options(operator, stride_h=1, stride_w=1, padding="VALID")
    return (
        "windows",
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
    return _window_refusal(placed, context)


def _window_refusal(placed: Placed, context: Context) -> str | None:
    rows, columns = placed.turned(context.flip)
    if rows.stride != columns.stride or rows.stride not in _STRIDES:
        return f"has stride {rows.stride}x{columns.stride}"
    size = window_size(rows, columns)
    if size is None:
        return "has a kernel and padding that fit into no 3x3 or 5x5 window"
    if not context.allows("windows") and size != max(placed.rows.reach, placed.columns.reach):
        return "has padding that only fits with pass windows"
    return None


def window_size(rows: Axis, columns: Axis) -> int | None:
    """The smallest window with a sparse form that a kernel fits into."""
    for size in _WINDOWS:
        if rows.offset(size) is not None and columns.offset(size) is not None:
            return size
    return None


def make_depthwise(operator: Operator, context: Context) -> Said:
    """Fits a depthwise convolution into its window."""
    _give_bias(operator, context)
    placed = placed_window(operator)
    assert placed is not None  # noqa: S101 - see depthwise_refusal
    rows, columns = placed.turned(context.flip)
    size = window_size(rows, columns)
    assert size is not None  # noqa: S101 - see depthwise_refusal
    if not any(context.flip) and is_spelled_out(operator, placed, size):
        return None
    plain = (size, size) == (placed.rows.kernel, placed.columns.kernel)
    if not plain or any(context.flip):
        key = _key(rows, columns, size, context.flip)
        context.editor.set_weight(
            operator,
            1,
            lambda filt: fitted(turned_filter(filt, context.flip), rows, columns, size),
            key,
        )
    place_window(operator, context, placed.source, rows.stride, size)
    return _said_of_window(placed, size, context)


def is_spelled_out(operator: Operator, placed: Placed, size: int) -> bool:
    """Whether a window has its size and half of it as padding already, as the runtime takes it."""
    axes, pad = (placed.rows, placed.columns), (size - 1) // 2
    if any((a.kernel, a.dilation, a.before) != (size, 1, pad) for a in axes):
        return False
    if operator.option("padding", "SAME") == "SAME":
        return placed.source is operator.inputs[0] and {a.stride for a in axes} == {1}
    padded = operator.inputs[0]
    padding = None if padded is None else operator.subgraph.producer(padded)
    if padding is None or padding.inputs[0] is not placed.source:
        return False
    return spatial_padding(padding) == (pad,) * 4


def _said_of_window(placed: Placed, size: int, context: Context) -> Said:
    axes, pad = (placed.rows, placed.columns), (size - 1) // 2
    kernel = tuple(axis.kernel for axis in axes)
    turned = ", its kernel turned" if any(context.flip) else ""
    even = all((axis.before, axis.after) == (pad, pad) for axis in axes)
    if kernel == (size, size) and even:
        if axes[0].stride == 1:
            return ("flip", "turned its kernel", "the map is reversed")
        return ("windows", f"spelled its padding out{turned}", _LATE)
    what = f"placed its {kernel[0]}x{kernel[1]} kernel in a {size}x{size} window"
    if kernel == (size, size):
        what = f"padded {pad} on each side{turned}"
    said = " and ".join(f"{axis.before},{axis.after}" for axis in axes)
    return ("windows", what, f"it pads {said}; a {size}x{size} window needs {pad} on each side")


def _key(rows: Axis, columns: Axis, size: int, flip: tuple[bool, bool]) -> str:
    turned = "".join(letter for letter, on in zip("hw", flip, strict=True) if on)
    shift = f"{rows.offset(size)}_{columns.offset(size)}"
    return f"{size}x{size}_at_{shift}" + (f"_flipped_{turned}" if turned else "")


def pool_refusal(operator: Operator, context: Context) -> str | None:
    """Why an AVERAGE_POOL_2D has no sparse form."""
    placed = placed_window(operator)
    if placed is None or not is_map(operator.inputs[0]):
        return "has no known size"
    if not context.allows("spelling"):
        return "has a sparse form as a depthwise convolution only, with pass spelling"
    if not (placed.rows.inside and placed.columns.inside):
        return "averages fewer cells at the border"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return "has an activation that XNNPACK does not take"
    return _window_refusal(placed, context)


def make_pool(operator: Operator, context: Context) -> Said:
    """Makes an average pooling a depthwise convolution."""
    editor = context.editor
    placed = placed_window(operator)
    assert placed is not None  # noqa: S101 - see pool_refusal
    rows, columns = placed.turned(context.flip)
    size = window_size(rows, columns)
    assert size is not None  # noqa: S101 - see pool_refusal
    source, result = placed.source, operator.outputs[0]
    channels = source.shape[3]
    share = np.float32(1 / (rows.kernel * columns.kernel))
    kernel = np.full((1, rows.kernel, columns.kernel, channels), share, np.float32)
    filters = editor.constant(fitted(kernel, rows, columns, size), f"{result.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{result.name}/bias")
    depthwise = editor.before(
        operator,
        "DEPTHWISE_CONV_2D",
        [source, filters, bias],
        [result],
        depth_multiplier=1,
        fused_activation_function=operator.option("fused_activation_function", "NONE"),
    )
    editor.drop(operator)
    place_window(depthwise, context, source, rows.stride, size)
    return ("spelling", "became a depthwise convolution", "pooling has no sparse form")


def turned_filter(filt: NDArray[Any], flip: tuple[bool, bool]) -> NDArray[Any]:
    """A filter [., height, width, .] reversed along some axes."""
    if flip[0]:
        filt = filt[:, ::-1]
    return filt[:, :, ::-1] if flip[1] else filt


def fitted(filt: NDArray[Any], rows: Axis, columns: Axis, size: int) -> NDArray[Any]:
    """A filter placed in a window of a size, zeros around it and between dilated cells."""
    top, left = rows.offset(size), columns.offset(size)
    assert top is not None  # noqa: S101 - asked for windows that it fits into
    assert left is not None  # noqa: S101
    window = np.zeros((filt.shape[0], size, size, filt.shape[3]), filt.dtype)
    window[
        :,
        top : top + rows.reach : rows.dilation,
        left : left + columns.reach : columns.dilation,
    ] = filt
    return window


def place_window(
    operator: Operator, context: Context, source: Tensor, stride: int, size: int
) -> None:
    """Spells out the padding of a window: SAME where the runtime does so itself, else a PAD."""
    editor, pad = context.editor, (size - 1) // 2
    padding = "SAME"
    if stride != 1:
        source = pad_before(editor, operator, source, (pad, pad, pad, pad))
        padding = "VALID"
    editor.read(operator, 0, source)
    editor.set_options(
        operator,
        padding=padding,
        stride_h=stride,
        stride_w=stride,
        dilation_h_factor=1,
        dilation_w_factor=1,
    )


def _give_bias(operator: Operator, context: Context) -> None:
    # XNNPACK's delegate takes no convolution without a bias.
    if len(operator.inputs) > 2 and operator.inputs[2] is not None:  # noqa: PLR2004 - a bias
        return
    channels = operator.outputs[0].shape[3]
    bias = context.editor.constant(
        np.zeros(channels, np.float32), f"{operator.outputs[0].name}/bias"
    )
    context.editor.read(operator, 2, bias)
