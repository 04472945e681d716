"""Where the zeros of weights lie: by output channel, and as a map that a picture can show.

Nothing of this is computed by `inspect`: it reads every weight a second time.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import nonzero_mask
from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.inspection.weights.weight_facts import dense_values
from tflite_sparse.model.quantization import zero_points
from tflite_sparse.model.weights import find_weights
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.model.weights import Weight

__all__ = ["BINS", "FULL", "ZeroMap", "zero_map", "zero_maps"]

BINS = 20
"""Bins of the histogram, each 5 % of zeros wide; the last one holds 100 % too."""

FULL = 15
"""The density of a cell without a zero."""

# The dimension of the output channels where it is not the first.
_CHANNELS = {"DEPTHWISE_CONV_2D": 3, "CONV_3D": 4}
_SLAB = 1 << 20
_THREADS = min(4, os.cpu_count() or 1)


class ZeroMap(Record, frozen=True):
    """Where a weight is zero, seen as a matrix: a row an output channel, all else its columns.

    Attributes:
        rows: number of output channels.
        columns: values of each.
        histogram: how many output channels have a share of zeros in each of `BINS` bins.
        empty: output channels that hold nothing but zeros.
        full: output channels that hold no zero.
        least: smallest share of zeros of an output channel.
        most: largest share of zeros of one.
        cell: rows and columns of the matrix that a cell of the map stands for; the cells at the far
            ends may be smaller.
        grid: rows and columns of the map.
        density: for each cell, row by row, how much of it is not zero: 0 for nothing, `FULL` for
            all of it, and 1 to `FULL` - 1 for what lies between, in equal steps.
        corner: rows and columns of the matrix that are shown value by value.
        bits: for each value of that corner, row by row, whether it is not zero.
    """

    rows: int
    columns: int
    histogram: tuple[int, ...]
    empty: int
    full: int
    least: float
    most: float
    cell: tuple[int, int]
    grid: tuple[int, int]
    density: tuple[int, ...]
    corner: tuple[int, int]
    bits: tuple[bool, ...]


def zero_maps(model: Model, side: int = 64, corner: int = 64) -> tuple[ZeroMap | None, ...]:
    """The maps of all weights of a model, in the order of `find_weights`; see `zero_map`."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return tuple(pool.map(lambda weight: zero_map(weight, side, corner), find_weights(model)))


def zero_map(weight: Weight, side: int = 64, corner: int = 64) -> ZeroMap | None:
    """The map of a weight; None where its values cannot be read, or there are none.

    Args:
        weight: the weight.
        side: most rows and columns of the map.
        corner: most rows and columns that are shown value by value.
    """
    tensor = weight.tensor
    try:
        values = dense_values(tensor)
        points = zero_points(tensor)
    except (EncodingError, ModelError):
        return None
    if values is None or not values.size or not values.ndim:
        return None
    axis = _channel_axis(weight, values.ndim)
    values = np.moveaxis(values, axis, 0)
    if points is not None:
        points = np.moveaxis(np.broadcast_to(points, tensor.shape), axis, 0)
    rows, columns = values.shape[0], math.prod(values.shape[1:])
    cell = (-(-rows // side), -(-columns // side))
    grid = (-(-rows // cell[0]), -(-columns // cell[1]))
    filled = np.zeros(grid, np.int64)
    of_channel = np.zeros(rows, np.int64)
    for top, left, mask in _masks(values, points, tensor.type, cell):
        parts = _sums(mask, cell[1], 1)
        of_channel[top : top + len(mask)] += parts.sum(axis=1)
        block = _sums(parts, cell[0], 0)
        y, x = top // cell[0], left // cell[1]
        filled[y : y + block.shape[0], x : x + block.shape[1]] += block
    area = np.outer(_extents(rows, cell[0]), _extents(columns, cell[1]))
    zeros = (columns - of_channel) / columns
    bins = np.minimum((columns - of_channel) * BINS // columns, BINS - 1)
    shown = (min(rows, corner), min(columns, corner))
    bits = next(_masks(values[: shown[0]], _first(points, shown[0]), tensor.type, shown))[2]
    return ZeroMap(
        rows=rows,
        columns=columns,
        histogram=tuple(np.bincount(bins, minlength=BINS).tolist()),
        empty=int(np.count_nonzero(of_channel == 0)),
        full=int(np.count_nonzero(of_channel == columns)),
        least=float(zeros.min()),
        most=float(zeros.max()),
        cell=cell,
        grid=grid,
        density=tuple(_density(filled, area).reshape(-1).tolist()),
        corner=shown,
        bits=tuple(bits[: shown[0], : shown[1]].reshape(-1).tolist()),
    )


def _channel_axis(weight: Weight, rank: int) -> int:
    for reader in weight.readers:
        axis = _CHANNELS.get(reader.name, 0)
        if axis < rank:
            return axis
    return 0


def _first(points: NDArray[Any] | None, rows: int) -> NDArray[Any] | None:
    return None if points is None else points[:rows]


def _masks(
    values: NDArray[Any], points: NDArray[Any] | None, kind: str, cell: tuple[int, int]
) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Parts of the matrix that split no cell, as (first row, first column, where not zero)."""
    columns = math.prod(values.shape[1:])
    width = max(cell[1], min(columns, _SLAB // cell[0]) // cell[1] * cell[1])
    height = max(cell[0], _SLAB // max(width, columns) // cell[0] * cell[0])
    for top in range(0, len(values), height):
        # A view where the channels come first, a copy of the part where they do not.
        part = values[top : top + height].reshape(-1, columns)
        zero = None if points is None else points[top : top + height].reshape(-1, columns)
        for left in range(0, columns, width):
            seen = part[:, left : left + width]
            if zero is not None:
                yield top, left, seen != zero[:, left : left + width]
            elif kind == "BFLOAT16":
                # Comes as its bits; without its sign a zero has none.
                yield top, left, seen << 1 != 0
            else:
                yield top, left, nonzero_mask(np.ascontiguousarray(seen))


def _sums(part: NDArray[Any], size: int, axis: int) -> NDArray[np.int64]:
    starts = np.arange(0, part.shape[axis], size)
    return np.add.reduceat(part, starts, axis=axis, dtype=np.int64)


def _extents(length: int, size: int) -> NDArray[np.int64]:
    """How long each part is when a length is cut into parts of a size."""
    starts = np.arange(0, length, size)
    return np.minimum(length - starts, size)


def _density(filled: NDArray[np.int64], area: NDArray[np.int64]) -> NDArray[np.int64]:
    between = np.minimum(1 + filled * (FULL - 1) // area, FULL - 1)
    return np.where(filled == 0, 0, np.where(filled == area, FULL, between))
