"""From a dense tensor to a sparse encoding."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding.occupancy import Occupancy, any_of_each, nonzero_mask
from tflite_sparse.encoding.sparse_encoding import Level, SparseEncoding, elements, index_type
from tflite_sparse.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.encoding.sparse_encoding import Layout

__all__ = ["encode"]

_SLAB = 1 << 18
_ROWS, _COLUMNS = 16, 512
_LINES = 256


def encode(array: NDArray[Any], layout: Layout, stored: int | None = None) -> SparseEncoding:
    """Encodes a tensor; the exact inverse of `decode`, but that a -0.0 may become 0.0.

    For the runtime -0.0 is a zero like any other, so it is not stored, unless it lies in a block or
    slice that is stored for its other values. NaN is a value and keeps its bits.

    Args:
        array: the dense tensor, of any fixed-width type.
        layout: which levels in which order, and which of them are compressed.
        stored: for one compressed level, how many entries it has, where that was counted; see
            `cost`.

    Returns:
        The encoding. Segments and indices have the narrowest type each.

    Raises:
        EncodingError: the layout does not fit the tensor, or the count does not.
    """
    layout.check(array.shape)
    compressed = [number for number, is_csr in enumerate(layout.compressed) if is_csr]
    if len(compressed) == 1 and array.size:
        levels, values = _one_level(array, layout, compressed[0], stored)
    else:
        levels, values = _any_levels(layout.blocked_view(array), layout.compressed)
    return SparseEncoding(
        tuple(array.shape),
        layout.traversal_order,
        layout.block_map or None,
        tuple(levels),
        values,
    )


def _one_level(
    array: NDArray[Any], layout: Layout, level: int, stored: int | None
) -> tuple[list[Level], NDArray[Any]]:
    """One compressed level, dense ones around it: slab by slab, in little memory."""
    view = layout.blocked_view(array)
    columns, inner = view.shape[level], elements(view.shape[level + 1 :])
    # Counting first is cheap, and lets everything be written to its place at once.
    if stored is None:
        stored = Occupancy(array).tiles(layout.tile(array.shape, level))
    segments = np.zeros(elements(view.shape[:level]) + 1, index_type(stored))
    indices = np.empty(stored, index_type(columns - 1))
    values = np.empty((stored, inner), array.dtype)
    position = first = 0
    for slab in _slabs(view, level):
        tiles = slab.reshape(-1, inner)
        places = np.flatnonzero(any_of_each(nonzero_mask(tiles)))
        last, end = first + places.size, position + tiles.shape[0]
        if last > stored:
            first = last
            break
        np.take(tiles, places, axis=0, out=values[first:last], mode="clip")
        # A slab holds whole rows or a part of one: `rows` are those that end in it.
        rows = np.arange(position // columns + 1, end // columns + 1)
        ends = np.searchsorted(places, rows * columns - position)
        segments[rows] = first + ends
        starts = np.arange(position // columns, -(-end // columns)) * columns - position
        bounds = np.concatenate([[0], ends, [places.size]])
        places -= np.repeat(starts, np.diff(bounds)[: starts.size])
        indices[first:last] = places
        position, first = end, last
    if first != stored:
        raise EncodingError("the tensor does not hold as many values as were counted")
    levels = [Level(dense_size=size) for size in view.shape]
    levels[level] = _csr(segments, indices)
    return levels, values.reshape(-1)


def _slabs(view: NDArray[Any], level: int) -> Iterator[NDArray[Any]]:
    """The view in order, some of it at a time, contiguous; levels below `level` are whole."""
    # Step along the last axis that leaves a slab small; walk those before it one by one.
    axis, below = level, elements(view.shape[level + 1 :])
    while axis > 0 and below * view.shape[axis] <= _SLAB:
        below *= view.shape[axis]
        axis -= 1
    step = max(1, _SLAB // below)
    if below > 1 and view.strides[axis] == view.itemsize:
        # The slab runs across memory: let it use what comes into the cache with each value.
        step = max(4 * step, _LINES // view.itemsize)
    for outer in itertools.product(*(range(size) for size in view.shape[:axis])):
        for start in range(0, view.shape[axis], step):
            rows: NDArray[Any] = view[outer] if outer else view
            yield _contiguous(rows[start : start + step])


def _contiguous(slab: NDArray[Any]) -> NDArray[Any]:
    """The slab in order; one that runs across memory is copied in pieces that stay in the cache."""
    along = min(range(slab.ndim), key=lambda axis: (slab.shape[axis] == 1, slab.strides[axis]))
    later = range(along + 1, slab.ndim)
    across = max(later, key=lambda axis: slab.shape[axis], default=along)
    if across == along or slab.flags.c_contiguous:
        return np.ascontiguousarray(slab)
    copy = np.empty(slab.shape, slab.dtype)
    piece = [slice(None)] * slab.ndim
    for column in range(0, slab.shape[along], _COLUMNS):
        piece[along] = slice(column, column + _COLUMNS)
        for row in range(0, slab.shape[across], _ROWS):
            piece[across] = slice(row, row + _ROWS)
            copy[tuple(piece)] = slab[tuple(piece)]
    return copy


def _any_levels(
    view: NDArray[Any], compressed: tuple[bool, ...]
) -> tuple[list[Level], NDArray[Any]]:
    """Any levels compressed: nodes are numbers of positions in the grid of the levels so far."""
    used = nonzero_mask(np.ascontiguousarray(view))
    nodes = np.zeros(1, np.int64)
    levels = []
    for number, (size, is_csr) in enumerate(zip(view.shape, compressed, strict=True)):
        children = (nodes[:, None] * size + np.arange(size)).reshape(-1)
        if is_csr:
            axes = tuple(range(number + 1, view.ndim))
            kept = used.any(axis=axes).reshape(-1)[children]
            segments = np.zeros(nodes.size + 1, np.int64)
            np.cumsum(np.count_nonzero(kept.reshape(nodes.size, size), axis=1), out=segments[1:])
            nodes = children[kept]
            levels.append(_csr(segments, nodes % max(1, size)))
        else:
            nodes = children
            levels.append(Level(dense_size=size))
    return levels, np.ascontiguousarray(view).reshape(-1)[nodes]


def _csr(segments: NDArray[Any], indices: NDArray[Any]) -> Level:
    highest = int(indices.max()) if indices.size else 0
    return Level(
        segments=segments.astype(index_type(int(segments[-1])), copy=False),
        indices=indices.astype(index_type(highest), copy=False),
    )
