"""From a dense tensor to a sparse encoding."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding.occupancy import nonzero_mask
from tflite_sparse.encoding.storage import Level, SparseEncoding, elements, index_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.encoding.storage import Layout

__all__ = ["encode"]

_SLAB = 1 << 20


def encode(array: NDArray[Any], layout: Layout) -> SparseEncoding:
    """Encodes a tensor; the exact inverse of `decode`, but that -0.0 becomes 0.0.

    Args:
        array: the dense tensor, of any fixed-width type.
        layout: which levels in which order, and which of them are compressed.

    Returns:
        The encoding. Segments and indices have the narrowest type each.

    Raises:
        EncodingError: the layout does not fit the tensor.
    """
    layout.check(array.shape)
    view = layout.blocked_view(array)
    compressed = [number for number, is_csr in enumerate(layout.compressed) if is_csr]
    if len(compressed) == 1 and array.size:
        levels, values = _one_level(view, compressed[0])
    else:
        levels, values = _any_levels(view, layout.compressed)
    return SparseEncoding(
        tuple(array.shape),
        layout.traversal_order,
        layout.block_map or None,
        tuple(levels),
        values,
    )


def _one_level(view: NDArray[Any], level: int) -> tuple[list[Level], NDArray[Any]]:
    """One compressed level, dense ones around it: slab by slab, in little memory."""
    columns, inner = view.shape[level], elements(view.shape[level + 1 :])
    counts, indices, values = [], [], []
    narrow = index_type(columns - 1)
    for slab in _slabs(view, level, columns * inner):
        tiles = slab.reshape(-1, columns * inner)
        mask = nonzero_mask(tiles)
        if inner > 1:
            mask = np.asarray(mask.reshape(-1, columns, inner).any(axis=2))
        filled = np.count_nonzero(mask, axis=1)
        places = np.flatnonzero(mask)
        values.append(tiles.reshape(-1, inner)[places].reshape(-1))
        places -= np.repeat(np.arange(0, mask.size, columns), filled)
        indices.append(places.astype(narrow))
        counts.append(filled)
    made = _csr(np.concatenate(counts), np.concatenate(indices))
    levels = [
        made if number == level else Level(dense_size=size)
        for number, size in enumerate(view.shape)
    ]
    return levels, np.concatenate(values)


def _slabs(view: NDArray[Any], level: int, row: int) -> Iterator[NDArray[Any]]:
    """The rows above a level in order, some at a time, contiguous."""
    leading = view.shape[:level]
    # Step along the last leading axis that leaves a slab small; walk those before it one by one.
    axis = max(0, level - 1)
    below = row
    while axis > 0 and below * leading[axis] <= _SLAB:
        below *= leading[axis]
        axis -= 1
    if not leading:
        yield np.ascontiguousarray(view)
        return
    step = max(1, _SLAB // max(1, below))
    for outer in itertools.product(*(range(size) for size in leading[:axis])):
        for start in range(0, leading[axis], step):
            rows: NDArray[Any] = view[outer] if outer else view
            yield np.ascontiguousarray(rows[start : start + step])


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
            counts = np.count_nonzero(kept.reshape(nodes.size, size), axis=1)
            nodes = children[kept]
            levels.append(_csr(counts, nodes % max(1, size)))
        else:
            nodes = children
            levels.append(Level(dense_size=size))
    return levels, np.ascontiguousarray(view).reshape(-1)[nodes]


def _csr(counts: NDArray[Any], indices: NDArray[Any]) -> Level:
    segments = np.zeros(counts.size + 1, np.int64)
    np.cumsum(counts, out=segments[1:])
    highest = int(indices.max()) if indices.size else 0
    return Level(
        segments=segments.astype(index_type(int(segments[-1]))),
        indices=indices.astype(index_type(highest), copy=False),
    )
