"""How full the blocks of a weight are, for people who prune in blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.encoding.occupancy import Occupancy
from tflite_sparse.encoding.search import AUTO_BLOCKS, full_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BlockFill", "block_fill"]


class BlockFill(msgspec.Struct, frozen=True):
    """How full blocks of one shape are.

    Attributes:
        block: output channels by input channels.
        blocks: how many blocks hold a value that is not zero.
        fill: share of values that are not zero in those blocks, from 0 to 1.
    """

    block: tuple[int, ...]
    blocks: int
    fill: float


def block_fill(
    array: NDArray[Any] | Occupancy, blocks: tuple[tuple[int, ...], ...] = AUTO_BLOCKS
) -> tuple[BlockFill, ...]:
    """The fill of each block shape that divides a weight, fullest first.

    Args:
        array: the dense weight, its first dimension the output channels and its last the input
            channels; or counts over it.
        blocks: the block shapes to look at.
    """
    counts = array if isinstance(array, Occupancy) else Occupancy(array)
    fills = []
    for block in blocks:
        full = full_block(counts.array.shape, block)
        if full is None or not counts.values:
            continue
        filled = counts.tiles(full)
        fills.append(BlockFill(block, filled, counts.values / (filled * math.prod(block))))
    return tuple(sorted(fills, key=lambda item: -item.fill))
