"""Fits kernels into the windows that have a sparse form: 3x3 with padding 1, 5x5 with padding 2.

What a window reads beyond the kernel is multiplied by zeros. See XNNPACK src/subgraph.c,
xnn_check_nchw_compatibility, for the windows that there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import pad_before
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.window import spatial_padding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.window import Axis, Mirrored, Placed

__all__ = [
    "SIZES",
    "axis_letters",
    "fit_kernel",
    "has_plain_window",
    "mirrored_filter",
    "set_window",
    "window_size",
]

SIZES = (3, 5)
"""Sizes of the windows with a sparse form, which have half of it as padding."""


def window_size(rows: Axis, columns: Axis) -> int | None:
    """The smallest window with a sparse form that a kernel fits into."""
    for size in SIZES:
        if rows.offset(size) is not None and columns.offset(size) is not None:
            return size
    return None


def mirrored_filter(filt: NDArray[Any], mirrored: Mirrored) -> NDArray[Any]:
    """A filter [., height, width, .] reversed along some axes."""
    if mirrored[0]:
        filt = filt[:, ::-1]
    return filt[:, :, ::-1] if mirrored[1] else filt


def axis_letters(mirrored: Mirrored) -> str:
    """The reversed axes for the names of new constants: "h", "w", "hw" or ""."""
    return "".join(letter for letter, on in zip("hw", mirrored, strict=True) if on)


def fit_kernel(filt: NDArray[Any], rows: Axis, columns: Axis, size: int) -> NDArray[Any]:
    """A filter placed in a window that it fits into, zeros around it and between dilated cells."""
    top, left = present(rows.offset(size)), present(columns.offset(size))
    window = np.zeros((filt.shape[0], size, size, filt.shape[3]), filt.dtype)
    window[
        :,
        top : top + rows.reach : rows.dilation,
        left : left + columns.reach : columns.dilation,
    ] = filt
    return window


def has_plain_window(operator: Operator, placed: Placed, size: int) -> bool:
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


def set_window(
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
