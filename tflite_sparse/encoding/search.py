"""The smallest of the encodings that the runtime reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tflite_sparse.encoding.cost import Cost, cost
from tflite_sparse.encoding.occupancy import Occupancy
from tflite_sparse.encoding.storage import Layout, google_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["AUTO_BLOCKS", "Choice", "candidates", "search"]

AUTO_BLOCKS = ((4, 1), (1, 4), (2, 1), (1, 2), (2, 2), (4, 4), (8, 1), (1, 8), (16, 1), (1, 16))
"""Block sizes that are tried by themselves: output channels by input channels."""

_SAMPLE_ROWS = 64
_SAMPLE = 1 << 18
_ONE_BYTE = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A layout and what it costs."""

    layout: Layout
    cost: Cost


def search(
    array: NDArray[Any] | Occupancy,
    *,
    blocks: tuple[tuple[int, ...], ...] | None = AUTO_BLOCKS,
    only_blocks: bool = False,
) -> Choice | None:
    """Finds the smallest encoding of a tensor.

    Tried are all orders that compress one dimension and keep the others dense around it, each
    without blocks and with each block shape that divides the tensor. A tie goes to the layout of
    Google's exporter, then to the one that is tried first.

    Args:
        array: the dense tensor, or counts over it.
        blocks: block shapes to try, each a size for every dimension, or a pair for the first and
            the last one; None or () for no blocks.
        only_blocks: whether to leave out the layouts without blocks.

    Returns:
        The smallest, whether or not it is smaller than the dense tensor; None for a scalar, an
        empty tensor, or where no block shape fits and blocks are asked for.
    """
    counts = array if isinstance(array, Occupancy) else Occupancy(array)
    dense = counts.array
    if dense.ndim == 0 or dense.size == 0:
        return None
    layouts: list[Layout] = []
    if not only_blocks:
        layouts += candidates(dense.shape, ())
    for block in blocks or ():
        full = full_block(dense.shape, block)
        if full is not None and (only_blocks or _worth_counting(counts, full)):
            layouts += candidates(dense.shape, full)
    choices = [Choice(layout, cost(counts, layout)) for layout in layouts]
    return min(choices, key=lambda choice: choice.cost.total, default=None)


def candidates(shape: tuple[int, ...], block: tuple[int, ...]) -> Iterator[Layout]:
    """The layouts with one compressed dimension, the exporter's first.

    Args:
        shape: shape of the tensor.
        block: size of the block along each dimension; () for none.
    """
    rank = len(shape)
    base = google_layout(rank, block)
    yield base
    for dimension in range(rank - 2, -1, -1):
        if shape[dimension] == 1:
            continue
        others = tuple(d for d in range(rank) if d != dimension)
        order = (*others, dimension, *base.traversal_order[rank:])
        yield Layout(order, base.compressed, base.block_map, base.block_shape)


def full_block(shape: tuple[int, ...], block: tuple[int, ...]) -> tuple[int, ...] | None:
    """The block with a size for each dimension, None where it does not divide the tensor."""
    pair = 2
    if len(block) == pair and len(shape) > pair:
        block = (block[0], *(1,) * (len(shape) - pair), block[1])
    if len(block) != len(shape):
        return None
    fits = all(not size % part for size, part in zip(shape, block, strict=True))
    return block if fits and any(part > 1 for part in block) else None


def _worth_counting(counts: Occupancy, block: tuple[int, ...]) -> bool:
    """Whether a sample of the tensor says that blocks may be smaller than single values."""
    array = counts.array
    size = 1
    for part in block:
        size *= part
    row = max(1, array.size // array.shape[0])
    rows = min(array.shape[0], max(_SAMPLE_ROWS, _SAMPLE // row) // block[0] * block[0])
    sample = Occupancy(array[: max(block[0], rows)])
    filled = sample.tiles(block)
    if not filled:
        return counts.values > 0
    width = array.dtype.itemsize
    # Blocks save indices and pay with zeros; a margin allows for a sample that is unlike the rest.
    blocked = filled * (size * width + _ONE_BYTE)
    return blocked < 1.25 * sample.values * (width + _ONE_BYTE)
