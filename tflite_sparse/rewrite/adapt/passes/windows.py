"""Places kernels in windows that have a sparse form.

Operators inside the sparse layout get theirs by their forms (`forms.convolutions`); here it is the
convolution that brings the image in.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import pad_before
from tflite_sparse.rewrite.adapt.convolution import convolution_refusal, give_bias
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied, Order, RegionPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.window import placed_window, window_of
from tflite_sparse.rewrite.adapt.window_fit import (
    axis_letters,
    fit_kernel,
    has_plain_window,
    mirrored_filter,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.adaptation import Step
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.regions.region import Region
    from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["WINDOWS", "stem_refusal"]

_CHANNELS = 3
_WINDOW = 3
_STRIDE = 2


class Windows(RegionPass):
    """Places kernels in windows that have a sparse form."""

    name = PassName.WINDOWS
    summary = "place kernels in a 3x3 or 5x5 window that has a sparse form"
    detail = (
        "A kernel that pads unevenly, is even-sized, not square or dilated is placed in a 3x3"
        " window with padding 1 or a 5x5 window with padding 2; the rest of the window is"
        " multiplied by zeros. SAME with stride 2 is spelled out as PAD and VALID. A 1x1"
        " convolution with stride 2 gets a depthwise convolution that picks its cells."
    )
    cost = "multiplications of depthwise convolutions"
    exact = "yes"
    order = Order.BEGIN

    def is_wanted(self, region: Region) -> bool:
        """Wherever a region begins at a convolution, which has no other form."""
        return region.stem is not None

    def change(self, region: Region) -> None:
        """Gives the convolution that brings the image in the window that it needs."""
        if region.stem is not None:
            change = partial(_make_stem, region.stem, region.context)
            region.context.editor.apply(self, region.stem, change)

    def ensures(self, subject: Region, result: tuple[Step, ...]) -> None:
        """Also: the convolution has the window with which maps enter."""
        super().ensures(subject, result)
        stem = subject.stem
        plain = stem is None or has_plain_window(stem, window_of(stem), _WINDOW)
        self.check(plain, "the image enters through a 3x3 window with padding 1")


WINDOWS = Windows()


def stem_refusal(operator: Operator, mirrored: Mirrored) -> str | None:
    """Why a CONV_2D cannot bring an image into the sparse layout.

    XNNPACK src/subgraph.c, xnn_check_nchw_compatibility: a 3x3 convolution with stride 2, padding 1
    on all sides, 3 input channels, no groups.
    """
    refusal = convolution_refusal(operator)
    placed = placed_window(operator)
    if refusal is not None or placed is None:
        return refusal or "has no known size"
    filt = operator.inputs[1]
    rows, columns = placed.axes(mirrored)
    if (rows.stride, columns.stride) != (_STRIDE, _STRIDE):
        return f"has stride {rows.stride}x{columns.stride}, not 2x2"
    channels = placed.source.shape[3]
    if filt is None or filt.shape[3] != channels or channels > _CHANNELS:
        return f"reads {channels} channels, more than 3"
    if rows.offset(_WINDOW) is None or columns.offset(_WINDOW) is None:
        return "has a kernel and padding that fit into no 3x3 window with padding 1"
    return None


def _make_stem(operator: Operator, context: Context) -> Applied | None:
    """Makes a convolution over the image the 3x3 convolution with padding 1 that enters."""
    editor, mirrored = context.editor, context.mirrored
    placed = window_of(operator)
    rows, columns = placed.axes(mirrored)
    missing = _CHANNELS - placed.source.shape[3]
    if not any(mirrored) and not missing and has_plain_window(operator, placed, _WINDOW):
        return None

    def change(filt: NDArray[Any]) -> NDArray[Any]:
        window = fit_kernel(mirrored_filter(filt, mirrored), rows, columns, _WINDOW)
        return np.pad(window, ((0, 0), (0, 0), (0, 0), (0, missing)))

    plain = placed.rows.kernel == placed.columns.kernel == _WINDOW
    if not plain or missing or any(mirrored):
        letters = axis_letters(mirrored)
        editor.set_weight(operator, 1, change, f"entry_{letters}" if letters else "entry")
    source = placed.source
    if missing:
        # XNNPACK fuses only the PAD next to the convolution, and only one of height and width.
        source = pad_before(editor, operator, source, (0, 0, 0, 0), missing)
    editor.read(operator, 0, pad_before(editor, operator, source, (1, 1, 1, 1)))
    editor.set_options(operator, padding="VALID", dilation_h_factor=1, dilation_w_factor=1)
    give_bias(operator, context)
    pads = (placed.rows.before, placed.rows.after, placed.columns.before, placed.columns.after)
    what = "padded 1 on every side" + (", its kernel turned" if any(mirrored) else "")
    what += f", {missing} zero channels added" if missing else ""
    why = f"it pads {pads[0]},{pads[1]} and {pads[2]},{pads[3]}; it must pad 1 on every side"
    if pads == (1, 1, 1, 1):
        why = "the first convolution needs explicit padding"
    return Applied(what, f"{why}, and 3 channels" if missing else why)
