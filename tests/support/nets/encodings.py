"""Hypothesis strategies of tensors, layouts and encodings."""

from __future__ import annotations

import msgspec
import numpy as np
from hypothesis import strategies as st

from tflite_sparse.encoding import Layout, Level, SparseEncoding, encode

__all__ = ["DTYPES", "encodings", "grown_encodings", "layouts", "tensors", "with_level"]

DTYPES = ("<f4", "<f2", "i1")
SIZES = (1, 2, 3, 4, 6, 8)
_INDEX_TYPES = ("u1", "<u2", "<i4")


@st.composite
def tensors(draw: st.DrawFn, max_rank: int = 4, dtypes: tuple[str, ...] = DTYPES) -> np.ndarray:
    """Small tensors of any share of zeros."""
    shape = tuple(draw(st.lists(st.sampled_from(SIZES), min_size=1, max_size=max_rank)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(-100, 100, shape)
    kept = rng.random(shape) < draw(st.sampled_from((0.0, 0.1, 0.3, 0.7, 1.0)))
    return (values * kept).astype(draw(st.sampled_from(dtypes)))


@st.composite
def layouts(draw: st.DrawFn, shape: tuple[int, ...]) -> Layout:
    """Any layout that fits a shape: any order, blocks and compressed levels."""
    rank = len(shape)
    divided = [d for d in range(rank) if draw(st.booleans())]
    blocks = [draw(st.sampled_from([b for b in SIZES if shape[d] % b == 0])) for d in divided]
    order = (*draw(st.permutations(range(rank))), *range(rank, rank + len(divided)))
    compressed = tuple(draw(st.booleans()) if n < rank else False for n in range(len(order)))
    return Layout(order, compressed, tuple(divided), tuple(blocks))


@st.composite
def encodings(
    draw: st.DrawFn, max_rank: int = 4, dtypes: tuple[str, ...] = DTYPES
) -> tuple[np.ndarray, SparseEncoding]:
    """A tensor and one of its encodings, with index types of any width that holds them."""
    array = draw(tensors(max_rank, dtypes))
    encoding = encode(array, draw(layouts(array.shape)))
    levels = []
    for level in encoding.levels:
        if level.segments is not None and level.indices is not None:
            segments = level.segments.astype(draw(_holding(level.segments)))
            indices = level.indices.astype(draw(_holding(level.indices)))
            levels.append(Level(segments=segments, indices=indices))
        else:
            levels.append(level)
    return array, msgspec.structs.replace(encoding, levels=tuple(levels))


@st.composite
def grown_encodings(
    draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES, *, bits: bool = True
) -> SparseEncoding:
    """Encodings that no encoder need ever make: grown level by level, whatever they store.

    They hold zeros, positions with nothing below them, and block dimensions in a swapped order.

    Args:
        draw: draws from other strategies.
        dtypes: types of the values.
        bits: whether values are any bits, NaN among them; otherwise small whole numbers.
    """
    shape = tuple(draw(st.lists(st.sampled_from(SIZES), min_size=1, max_size=5)))
    layout = draw(layouts(shape))
    rank, order, sizes = len(shape), list(layout.traversal_order), list(layout.level_sizes(shape))
    if len(layout.block_map) > 1 and draw(st.booleans()):
        for row in (order, sizes):
            row[rank], row[rank + 1] = row[rank + 1], row[rank]
        # The runtime finds a block's size by swapping back.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parents, levels = 1, []
    for size, compressed in zip(sizes, layout.compressed, strict=True):
        if compressed:
            kept = rng.random((parents, size)) < draw(st.sampled_from((0.0, 0.3, 0.8, 1.0)))
            segments = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
            indices = np.nonzero(kept)[1]
            levels.append(
                Level(
                    segments=segments.astype(draw(_holding(segments))),
                    indices=indices.astype(draw(_holding(indices))),
                )
            )
            parents = int(segments[-1])
        else:
            levels.append(Level(size))
            parents *= size
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    values = (
        rng.integers(0, 256, parents * dtype.itemsize, np.uint8).view(dtype)
        if bits
        else rng.integers(-3, 4, parents).astype(dtype)
    )
    block_map = layout.block_map or None
    return SparseEncoding(shape, tuple(order), block_map, tuple(levels), values)


def _holding(array: np.ndarray) -> st.SearchStrategy[str]:
    largest = int(array.max()) if array.size else 0
    return st.sampled_from([t for t in _INDEX_TYPES if np.iinfo(t).max >= largest])


def with_level(encoding: SparseEncoding, number: int, **changes: object) -> SparseEncoding:
    """The encoding with one level changed."""
    levels = list(encoding.levels)
    levels[number] = msgspec.structs.replace(levels[number], **changes)
    return msgspec.structs.replace(encoding, levels=tuple(levels))
