"""What a sparse encoding consists of, and the layouts that one can be made in."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.errors import EncodingError, shown_shape

__all__ = ["Layout", "Level", "SparseEncoding", "google_layout", "index_type"]

INDEX_TYPES = (np.dtype("u1"), np.dtype("<u2"), np.dtype("<i4"))
"""The types that segments and indices come in, narrowest first."""

MAX_LEVELS = 32
"""Most dimensions and block dimensions together: what every numpy can hold as one array."""


def index_type(largest: int) -> np.dtype[Any]:
    """The narrowest type that holds segments or indices up to `largest`.

    Raises:
        EncodingError: no index type holds it.
    """
    for kind in INDEX_TYPES:
        if largest <= np.iinfo(kind).max:
            return kind
    raise EncodingError(f"{largest:,} does not fit any index type of the format")


class Level(msgspec.Struct, frozen=True):
    """One level of an encoding, in traversal order.

    Attributes:
        dense_size: positions of a DENSE level; of no meaning for a compressed one.
        segments: for a SPARSE_CSR level where the indices of each parent start, shape
            (parents + 1,); None for a DENSE level.
        indices: for a SPARSE_CSR level the positions that are stored, shape (segments[-1],).
    """

    dense_size: int = 0
    segments: NDArray[Any] | None = None
    indices: NDArray[Any] | None = None

    @property
    def compressed(self) -> bool:
        """Whether the level is SPARSE_CSR."""
        return self.segments is not None

    def csr(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Segments and indices of a compressed level.

        Raises:
            EncodingError: it has none.
        """
        if self.segments is None or self.indices is None:
            raise EncodingError("a dense level has no segments and no indices")
        return self.segments, self.indices


class SparseEncoding(msgspec.Struct, frozen=True):
    """A tensor as the format stores it sparse.

    Attributes:
        shape: shape of the dense tensor.
        traversal_order: the dimensions from outermost to innermost, then the block dimensions,
            which are numbered from the rank upwards.
        block_map: for each block dimension the dimension it divides; None without blocks.
        levels: one level for each entry of `traversal_order`.
        values: the stored values in traversal order, 1-D.
    """

    shape: tuple[int, ...]
    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...] | None
    levels: tuple[Level, ...]
    values: NDArray[Any]

    @property
    def block_shape(self) -> tuple[int, ...]:
        """Size of each block dimension, in the order of `block_map`."""
        rank = len(self.shape)
        sizes = dict(zip(self.traversal_order, self.levels, strict=True))
        return tuple(sizes[rank + k].dense_size for k in range(len(self.block_map or ())))

    @property
    def nbytes(self) -> int:
        """Bytes of values, segments and indices."""
        arrays = (a for level in self.levels for a in (level.segments, level.indices))
        return int(self.values.nbytes) + sum(int(a.nbytes) for a in arrays if a is not None)


class Layout(msgspec.Struct, frozen=True):
    """How to encode a tensor of some rank.

    Attributes:
        traversal_order: see `SparseEncoding`.
        compressed: for each level whether it is SPARSE_CSR.
        block_map: see `SparseEncoding`; () without blocks.
        block_shape: size of each block dimension.
    """

    traversal_order: tuple[int, ...]
    compressed: tuple[bool, ...]
    block_map: tuple[int, ...] = ()
    block_shape: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """Rank of the tensors that it fits."""
        return len(self.traversal_order) - len(self.block_map)

    def check(self, shape: tuple[int, ...]) -> None:
        """Checks that a tensor of this shape can be encoded so.

        Raises:
            EncodingError: it cannot, with the reason.
        """
        rank, blocks = self.rank, len(self.block_map)
        if rank + blocks > MAX_LEVELS:
            raise EncodingError(f"{rank + blocks:,} levels are more than {MAX_LEVELS}")
        if len(shape) != rank:
            raise EncodingError(
                f"a layout of rank {rank} does not fit the shape {shown_shape(shape)}"
            )
        if sorted(self.traversal_order[:rank]) != list(range(rank)) or list(
            self.traversal_order[rank:]
        ) != list(range(rank, rank + blocks)):
            raise EncodingError(
                f"traversal order {list(self.traversal_order)} must list each dimension,"
                " then the block dimensions in order"
            )
        if list(self.block_map) != sorted(set(self.block_map)) or len(self.block_shape) != blocks:
            raise EncodingError(f"block map {list(self.block_map)} must ascend, with a size each")
        if any(self.compressed[rank:]) or len(self.compressed) != rank + blocks:
            raise EncodingError("one format a level is needed, and block levels are dense")
        for dimension, size in zip(self.block_map, self.block_shape, strict=True):
            if not 0 <= dimension < rank or size < 1 or shape[dimension] % size:
                raise EncodingError(
                    f"blocks of {size} do not divide dimension {dimension} of {shown_shape(shape)}"
                )

    def level_sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Positions of each level for a tensor of this shape."""
        blocks = dict(zip(self.block_map, self.block_shape, strict=True))
        outer = [size // blocks.get(dimension, 1) for dimension, size in enumerate(shape)]
        sizes = [*outer, *self.block_shape]
        return tuple(sizes[entry] for entry in self.traversal_order)

    def tile(self, shape: tuple[int, ...], level: int) -> tuple[int, ...]:
        """How much of each dimension lies below one position of a level."""
        tile = [1] * self.rank
        sizes = self.level_sizes(shape)
        for entry, size in list(zip(self.traversal_order, sizes, strict=True))[level + 1 :]:
            dimension = entry if entry < self.rank else self.block_map[entry - self.rank]
            tile[dimension] *= size
        return tuple(tile)

    def blocked_view(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array with one axis a level, in traversal order; a view."""
        blocks = dict(zip(self.block_map, self.block_shape, strict=True))
        split: list[int] = []
        axis: dict[int, int] = {}
        for dimension, size in enumerate(array.shape):
            axis[dimension] = len(split)
            split.append(size // blocks.get(dimension, 1))
            if dimension in blocks:
                axis[self.rank + self.block_map.index(dimension)] = len(split)
                split.append(blocks[dimension])
        return array.reshape(split).transpose([axis[entry] for entry in self.traversal_order])

    def describe(self, shape: tuple[int, ...]) -> str:
        """A short name for people, such as "CSR on dimension 0, blocks 4x1"."""
        last = max((i for i, c in enumerate(self.compressed) if c), default=None)
        kind = "dense" if last is None else f"CSR on dimension {self.traversal_order[last]}"
        if last is not None and last + 1 < self.rank:
            whole = " and ".join(str(d) for d in self.traversal_order[last + 1 : self.rank])
            kind = f"{kind}, whole slices of {whole}"
        if not self.block_map:
            return kind
        blocks = dict(zip(self.block_map, self.block_shape, strict=True))
        sizes = [blocks.get(dimension, 1) for dimension in range(len(shape))]
        # The inner dimensions of a 1x1 filter say nothing.
        shown = [s for s, size in zip(sizes, shape, strict=True) if size > 1 or s > 1]
        return f"{kind}, blocks {'x'.join(map(str, shown))}"


def google_layout(rank: int, block: tuple[int, ...] = ()) -> Layout:
    """The layout that Google's exporter uses: dimensions in order, the last one compressed.

    Args:
        rank: rank of the tensor.
        block: size of the block along each dimension; () for none.
    """
    divided = tuple(d for d, size in enumerate(block) if size > 1)
    return Layout(
        traversal_order=tuple(range(rank + len(divided))),
        compressed=tuple(d == rank - 1 for d in range(rank + len(divided))),
        block_map=divided,
        block_shape=tuple(block[d] for d in divided),
    )


def elements(shape: tuple[int, ...]) -> int:
    """Number of elements of a dense tensor; a Python integer, so that it cannot overflow."""
    return math.prod(shape)
