"""The smallest of the encodings that the runtime reads."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.encoding.cost import Cost, cost
from tflite_sparse.encoding.occupancy import Occupancy
from tflite_sparse.encoding.sparse_encoding import Layout, google_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["AUTO_BLOCKS", "EncodingChoice", "candidates", "search"]

AUTO_BLOCKS = ((4, 1), (1, 4), (2, 1), (1, 2), (2, 2), (4, 4), (8, 1), (1, 8), (16, 1), (1, 16))
"""Block sizes that are tried by themselves: output channels by input channels."""

_SAMPLE_ROWS = 64
_SAMPLE = 1 << 18
_ONE_BYTE = 1
_MARGIN = 1.25
_MOST_DIMENSIONS = 4


class EncodingChoice(msgspec.Struct, frozen=True):
    """A layout and what it costs."""

    layout: Layout
    cost: Cost


def search(
    array: NDArray[Any] | Occupancy,
    *,
    blocks: tuple[tuple[int, ...], ...] | None = AUTO_BLOCKS,
    only_blocks: bool = False,
) -> EncodingChoice | None:
    """Finds the smallest encoding of a tensor.

    Tried are all orders that compress one dimension: with single values below it, without blocks
    and with each block shape that divides the tensor, and with whole slices of other dimensions
    below it, such as kernels or channels that were pruned as a whole. What a sample of the tensor
    shows to be no use is not counted in full. A tie goes to the layout of Google's exporter, then
    to the one that is tried first.

    Args:
        array: the dense tensor, or counts over it.
        blocks: block shapes to try, each a size for every dimension, or a pair for the first and
            the last one; None or () for single values only, neither blocks nor slices.
        only_blocks: whether to try nothing but the block shapes.

    Returns:
        The smallest, whether or not it is smaller than the dense tensor; None for a scalar, an
        empty tensor, or where no block shape fits and blocks are asked for.

    Raises:
        EncodingError: the tensor has more dimensions than an encoding can have levels.
    """
    counts = array if isinstance(array, Occupancy) else Occupancy(array)
    shape = counts.array.shape
    if not counts.array.ndim or not counts.array.size:
        return None
    choices: list[EncodingChoice] = []
    if not only_blocks:
        choices += (EncodingChoice(layout, cost(counts, layout)) for layout in candidates(shape))
    single = min((choice.cost.nbytes for choice in choices), default=0)
    sample = _Sample(counts, single / max(1, counts.values))
    layouts: list[Layout] = []
    fitting = [full for block in blocks or () if (full := full_block(shape, block)) is not None]
    if not only_blocks:
        # Small blocks say most about larger ones, which need not be counted then.
        worthwhile = {full for full in sorted(fitting, key=math.prod) if sample.speaks_for(full)}
        fitting = [full for full in fitting if full in worthwhile]
    for full in fitting:
        layouts += candidates(shape, full)
    if blocks and not only_blocks:
        layouts += (
            layout
            for layout in slices(shape)
            if sample.speaks_for(layout.tile(shape, layout.compressed.index(True)))
        )
    choices += (EncodingChoice(layout, cost(counts, layout)) for layout in layouts)
    return min(choices, key=lambda choice: choice.cost.total, default=None)


def candidates(shape: tuple[int, ...], block: tuple[int, ...] = ()) -> Iterator[Layout]:
    """The layouts with one compressed dimension, the last of the order; the exporter's first.

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


def slices(shape: tuple[int, ...]) -> Iterator[Layout]:
    """The layouts with one compressed dimension and whole other dimensions below it."""
    long = [dimension for dimension, size in enumerate(shape) if size > 1]
    if len(long) > _MOST_DIMENSIONS:
        return
    for dimension in long:
        others = [d for d in long if d != dimension]
        for number in range(1, len(others) + 1):
            for below in itertools.combinations(others, number):
                above = tuple(d for d in range(len(shape)) if d not in (dimension, *below))
                order = (*above, dimension, *below)
                yield Layout(order, tuple(d == dimension for d in order))


def full_block(shape: tuple[int, ...], block: tuple[int, ...]) -> tuple[int, ...] | None:
    """The block with a size for each dimension, None where it does not divide the tensor."""
    pair = 2
    if len(block) == pair and len(shape) > pair:
        block = (block[0], *(1,) * (len(shape) - pair), block[1])
    if len(block) != len(shape):
        return None
    fits = all(not size % part for size, part in zip(shape, block, strict=True))
    return block if fits and any(part > 1 for part in block) else None


class _Sample:
    """The first rows of a tensor, which say what is worth counting in the whole of it.

    Args:
        counts: counts over the tensor.
        price: bytes that a value takes, with its index, where values are stored one by one.
    """

    def __init__(self, counts: Occupancy, price: float) -> None:
        self._counts = counts
        self._price = price
        self._samples: dict[int, Occupancy] = {}

    def speaks_for(self, tile: tuple[int, ...]) -> bool:
        """Whether storing tiles as a whole may take fewer bytes than storing single values."""
        array = self._counts.array
        length = array.shape[0]
        rows = max(_SAMPLE_ROWS, _SAMPLE // max(1, array.size // length))
        # A tile higher than the sample is filled if the part in the sample is.
        part = min(tile[0], rows)
        sample = self._rows(min(length, rows // part * part))
        if not sample.values:
            return self._counts.values > 0
        each = math.prod(tile) * array.dtype.itemsize + _ONE_BYTE
        values = sample.values
        if part < tile[0]:
            # What is known of a whole tile is compared with its share of all values.
            values = self._counts.values * tile[0] // length
        # Tiles save indices and pay with zeros; a margin allows for a sample unlike the rest.
        most = _MARGIN * values * self._price
        seen = (part, *tile[1:])
        return sample.fewest_tiles(seen) * each < most and sample.tiles(seen) * each < most

    def _rows(self, rows: int) -> Occupancy:
        if rows not in self._samples:
            self._samples[rows] = Occupancy(self._counts.array[:rows])
        return self._samples[rows]
