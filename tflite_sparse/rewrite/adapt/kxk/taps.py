"""The taps of a KxK convolution, and the shift that brings each tap's cells in place.

A convolution is a sum over the cells of its window: for each of them a 1x1 convolution of the map,
shifted so that the cell comes to lie where the result is. A shift with zeros behind it is a
depthwise convolution with a single one, in a window that has a sparse form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.rewrite.adapt.queries import constant_of, present, remembered
from tflite_sparse.rewrite.adapt.window import Axis, window_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.window import Mirrored

__all__ = ["Tap", "taps_of", "values_of_taps"]


class Tap(msgspec.Struct, frozen=True):
    """A cell of a window that is multiplied by something.

    Attributes:
        row: its row in the filter as it is stored.
        column: its column there.
        rows: the window that reads this cell alone, along the height.
        columns: the same along the width.
        values: number of the filter's values for it that are not zero.
    """

    row: int
    column: int
    rows: Axis
    columns: Axis
    values: int


@remembered
def values_of_taps(operator: Operator) -> NDArray[Any]:
    """How many values of a convolution's filter are not zero, by tap: shape (height, width)."""
    filt = present(constant_of(operator, 1))
    # A damaged filter may hold NaNs that signal, of which numpy warns.
    with np.errstate(invalid="ignore"):
        return np.asarray(np.count_nonzero(filt, axis=(0, 3)))


def taps_of(operator: Operator, mirrored: Mirrored) -> list[Tap]:
    """The taps of a convolution with a constant filter that have any value but zero.

    Args:
        operator: the convolution.
        mirrored: along which axes its map is reversed.
    """
    placed = window_of(operator)
    values = values_of_taps(operator)
    height, width = values.shape
    taps = []
    for row, column in np.argwhere(values).tolist():
        # On a reversed map the last cell comes first.
        at = (
            height - 1 - row if mirrored[0] else row,
            width - 1 - column if mirrored[1] else column,
        )
        rows, columns = (
            Axis(axis.size, 1, axis.stride, 1, axis.before - cell * axis.dilation, axis.outputs)
            for axis, cell in zip(placed.axes(mirrored), at, strict=True)
        )
        taps.append(Tap(row, column, rows, columns, int(values[row, column])))
    return taps
