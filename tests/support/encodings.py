"""Hypothesis strategies of tensors, layouts and encodings."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from tflite_sparse.encoding import Layout, Level, SparseEncoding, encode

__all__ = ["DTYPES", "encodings", "layouts", "tensors", "with_level"]

DTYPES = ("<f4", "<f2", "i1")
SIZES = (1, 2, 3, 4, 6, 8)


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
            wide = [t for t in ("u1", "<u2", "<i4") if np.dtype(t) >= level.segments.dtype]
            segments = level.segments.astype(draw(st.sampled_from(wide)))
            wide = [t for t in ("u1", "<u2", "<i4") if np.dtype(t) >= level.indices.dtype]
            indices = level.indices.astype(draw(st.sampled_from(wide)))
            levels.append(Level(segments=segments, indices=indices))
        else:
            levels.append(level)
    return array, dataclasses.replace(encoding, levels=tuple(levels))


def with_level(encoding: SparseEncoding, number: int, **changes: object) -> SparseEncoding:
    """The encoding with one level changed."""
    levels = list(encoding.levels)
    levels[number] = dataclasses.replace(levels[number], **changes)
    return dataclasses.replace(encoding, levels=tuple(levels))
