"""The window of a convolution or pooling, and how it fits into another window.

Each axis is treated alone: a window reads `kernel` cells, `dilation` apart, beginning `before`
cells in front of the map and moving on by `stride`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from tflite_sparse.model import Tensor
from tflite_sparse.rewrite.adapt.queries import RANK, constant_of, present, remembered

if TYPE_CHECKING:
    from tflite_sparse.model import Operator

__all__ = [
    "AS_IT_IS",
    "Axis",
    "Mirrored",
    "Placed",
    "placed_window",
    "spatial_padding",
    "window_of",
]

Mirrored: TypeAlias = tuple[bool, bool]
"""Whether maps are reversed along their height, and along their width."""

AS_IT_IS: Mirrored = (False, False)

_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


class Axis(msgspec.Struct, frozen=True):
    """A window along one axis.

    Attributes:
        size: cells of the map.
        kernel: cells that the window reads.
        stride: its step.
        dilation: distance of the cells that it reads.
        before: cells of zeros in front of the map; negative where it begins inside.
        outputs: number of its positions.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    outputs: int

    @property
    def reach(self) -> int:
        """Cells from the first to the last one that it reads."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def after(self) -> int:
        """Cells of zeros behind the map that are read; negative where cells are left unread."""
        return (self.outputs - 1) * self.stride - self.before + self.reach - self.size

    @property
    def inside(self) -> bool:
        """Whether it reads no padding."""
        return self.before <= 0 and self.after <= 0

    def mirrored(self) -> Axis:
        """The window that reads the same cells of the reversed map, in reversed order."""
        return msgspec.structs.replace(self, before=self.after)

    def offset(self, window: int) -> int | None:
        """Where the kernel lies in a window of a size with half of it as padding on both sides.

        Such a window has as many positions as the map has steps; those of the kernel must be the
        same. None where it does not fit.
        """
        shift = (window - 1) // 2 - self.before
        fits = shift >= 0 and shift + self.reach <= window
        return shift if fits and self.outputs == (self.size - 1) // self.stride + 1 else None


class Placed(msgspec.Struct, frozen=True):
    """The window of an operator over the map that it really reads.

    Attributes:
        source: the map, in front of any PAD.
        rows: the window along the height.
        columns: the window along the width.
    """

    source: Tensor
    rows: Axis
    columns: Axis

    def axes(self, mirrored: Mirrored) -> tuple[Axis, Axis]:
        """Rows and columns over the map that is reversed along some axes."""
        return (
            self.rows.mirrored() if mirrored[0] else self.rows,
            self.columns.mirrored() if mirrored[1] else self.columns,
        )


@remembered
def placed_window(operator: Operator) -> Placed | None:
    """The window of a convolution or pooling; of a convolution with zero padding in front merged.

    None where shapes are missing or make no sense together.
    """
    source = operator.inputs[0] if operator.inputs else None
    if source is None or len(source.shape) != RANK or not operator.outputs:
        return None
    kernel = _kernel(operator)
    result = operator.outputs[0].shape
    if kernel is None or len(result) != RANK:
        return None
    padded = source.shape
    first, (top, left) = _in_front(operator, source)
    axes = []
    for axis, pad in ((1, top), (2, left)):
        letter = "hw"[axis - 1]
        stride = int(operator.option(f"stride_{letter}", 1))
        dilation = int(operator.option(f"dilation_{letter}_factor", 1))
        window = Axis(first.shape[axis], kernel[axis - 1], stride, dilation, pad, result[axis])
        if operator.option("padding", "SAME") == "SAME":
            total = max(0, (result[axis] - 1) * stride + window.reach - padded[axis])
            window = msgspec.structs.replace(window, before=pad + total // 2)
        axes.append(window)
    if min(first.shape) < 1 or min(result) < 1 or min(kernel) < 1:
        return None
    return Placed(first, axes[0], axes[1])


def window_of(operator: Operator) -> Placed:
    """The window of an operator that is known to have one."""
    return present(placed_window(operator))


def _kernel(operator: Operator) -> tuple[int, int] | None:
    if operator.name in _POOLS:
        return int(operator.option("filter_height", 0)), int(operator.option("filter_width", 0))
    filt = operator.inputs[1] if len(operator.inputs) > 1 else None
    if filt is None or len(filt.shape) != RANK:
        return None
    return filt.shape[1], filt.shape[2]


def _in_front(operator: Operator, source: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """What the PADs in front of an operator read, and what they put above and left of it."""
    top = left = 0
    if operator.name in _POOLS:
        return source, (0, 0)
    while True:
        producer = operator.subgraph.producer(source)
        pads = None if producer is None else spatial_padding(producer)
        if producer is None or pads is None or producer.inputs[0] is None:
            return source, (top, left)
        source = producer.inputs[0]
        top, left = top + pads[0], left + pads[1]


@remembered
def spatial_padding(operator: Operator) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of a PAD with zeros along height and width only, else None."""
    if operator.name != "PAD" or len(operator.outputs[0].shape) != RANK:
        return None
    pads = constant_of(operator, 1)
    if pads is None or pads.shape != (RANK, 2) or np.any(pads[[0, 3]]) or np.any(pads < 0):
        return None
    return int(pads[1, 0]), int(pads[2, 0]), int(pads[1, 1]), int(pads[2, 1])
