"""How many bytes an encoding takes, known before anything is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.encoding.occupancy import Occupancy
from tflite_sparse.encoding.sparse_encoding import elements, index_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.encoding.sparse_encoding import Layout

__all__ = ["Cost", "LevelCost", "cost", "structure_nbytes", "tables_nbytes"]


class LevelCost(msgspec.Struct, frozen=True):
    """Sizes of one compressed level.

    Attributes:
        segments: number of segments.
        segment_type: their type.
        indices: number of indices.
        index_type: their type.
    """

    segments: int
    segment_type: np.dtype[Any]
    indices: int
    index_type: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """Bytes of segments and indices."""
        return self.segments * self.segment_type.itemsize + self.indices * self.index_type.itemsize


class Cost(msgspec.Struct, frozen=True):
    """Exact sizes of an encoding.

    Attributes:
        values: number of stored values, zeros inside blocks included.
        value_nbytes: bytes of the stored values.
        levels: sizes of the compressed levels, in traversal order.
        structure: most bytes that the SparsityParameters table takes in a file.
    """

    values: int
    value_nbytes: int
    levels: tuple[LevelCost, ...]
    structure: int

    @property
    def nbytes(self) -> int:
        """Bytes of values, segments and indices, as `SparseEncoding.nbytes` of the result."""
        return self.value_nbytes + sum(level.nbytes for level in self.levels)

    @property
    def total(self) -> int:
        """Bytes in a file, with the tables that describe the encoding."""
        return self.nbytes + self.structure


def structure_nbytes(layout: Layout) -> int:
    """The most bytes that the SparsityParameters table of a layout takes, without its arrays.

    Counted from the FlatBuffers layout: the table, the traversal order, the block map, and for each
    level a table, its place in a vector, and two more tables for a compressed one; with padding.
    """
    return tables_nbytes(layout.compressed, len(layout.block_map))


def tables_nbytes(compressed: Sequence[bool], blocks: int) -> int:
    """The most bytes of the tables of an encoding, by numbers that any report of it has.

    See `structure_nbytes`.

    Args:
        compressed: of each level, whether it is a compressed one.
        blocks: how many dimensions have blocks.
    """
    return 48 + 4 * blocks + 32 * len(compressed) + 64 * sum(compressed)


def cost(array: NDArray[Any] | Occupancy, layout: Layout) -> Cost:
    """The exact sizes of `encode(array, layout)`.

    Args:
        array: the dense tensor, or counts over it that many layouts share.
        layout: the layout.

    Raises:
        EncodingError: the layout does not fit the tensor.
    """
    counts = array if isinstance(array, Occupancy) else Occupancy(array)
    shape = counts.array.shape
    layout.check(shape)
    sizes = layout.level_sizes(shape)
    parents = 1
    levels = []
    for number, (size, compressed) in enumerate(zip(sizes, layout.compressed, strict=True)):
        if not compressed:
            parents *= size
            continue
        tile = layout.tile(shape, number)
        stored = counts.tiles(tile)
        dimension = layout.traversal_order[number]
        highest = counts.highest(dimension) // tile[dimension] if size > _ONE_BYTE else size - 1
        levels.append(
            LevelCost(parents + 1, index_type(stored), stored, index_type(max(0, highest)))
        )
        parents = stored
    values = parents if levels else elements(shape)
    return Cost(
        values, values * counts.array.dtype.itemsize, tuple(levels), structure_nbytes(layout)
    )


_ONE_BYTE = 256
