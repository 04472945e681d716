"""Where a dense tensor is not zero: counted in slabs, for the costs of many layouts at once."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Occupancy", "any_of_each", "nonzero_mask"]

_SLAB = 1 << 20
_WIDEST_STEP = 16


def nonzero_mask(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are not zero: -0.0 counts as zero, as it does for the runtime, NaN does not."""
    if array.dtype == np.float16:
        # numpy compares half floats one by one; without its sign a zero has no bits.
        return np.asarray(array.view(np.uint16) << 1 != 0)
    return np.asarray(array != 0)


def any_of_each(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether any value of each row of a contiguous mask of shape (rows, values) is set."""
    rows, width = mask.shape
    if width == 1:
        return mask.reshape(-1)
    for kind in (np.uint64, np.uint32, np.uint16):
        # Looking at several values as one number is much faster than reducing over a short axis.
        if width % np.dtype(kind).itemsize == 0:
            mask = np.asarray(mask.view(kind) != 0)
            break
    if mask.shape[1] <= _WIDEST_STEP:
        return reduce(np.logical_or, (mask[:, i] for i in range(mask.shape[1])))
    return np.asarray(mask.any(axis=1)).reshape(rows)


class Occupancy:
    """Counts over one dense tensor, made once and shared by the costs of many layouts.

    Args:
        array: the dense tensor.
        known: counts that somebody has made before, by tile; see `tiles`.

    Attributes:
        array: the dense tensor.
        values: how many values are not zero.
    """

    def __init__(
        self, array: NDArray[Any], known: Mapping[tuple[int, ...], int] | None = None
    ) -> None:
        self.array = array
        self._tiles: dict[tuple[int, ...], int] = dict(known or {})
        self._highest: dict[int, int] = {}
        self._axis = next((d for d, size in enumerate(array.shape) if size > 1), 0)
        self._row = max(1, array.size // max(1, array.shape[self._axis])) if array.ndim else 1
        single = (1,) * array.ndim
        if single not in self._tiles:
            self._tiles[single] = sum(int(np.count_nonzero(mask)) for mask in self._masks(1))
        self.values = self._tiles[single]

    def tiles(self, tile: tuple[int, ...]) -> int:
        """How many tiles of the tensor hold a value that is not zero.

        Args:
            tile: size along each dimension, which it divides.
        """
        if tile not in self._tiles:
            self._tiles[tile] = self._count(tile)
        return self._tiles[tile]

    def fewest_tiles(self, tile: tuple[int, ...]) -> float:
        """At least so many tiles hold a value that is not zero; nothing is counted for it.

        A tile holds no more of the smaller tiles that were counted than fit into it.

        Args:
            tile: size along each dimension.
        """
        size = math.prod(tile)
        return max(
            count * math.prod(part) / size
            for part, count in self._tiles.items()
            if not any(whole % piece for whole, piece in zip(tile, part, strict=True))
        )

    def highest(self, dimension: int) -> int:
        """The largest index along a dimension at which a value is not zero; 0 without any."""
        if dimension not in self._highest:
            self._highest[dimension] = self._find_highest(dimension)
        return self._highest[dimension]

    def _masks(
        self, step: int, start: int = 0, stop: int | None = None
    ) -> Iterator[NDArray[np.bool_]]:
        """Masks of slabs along the first long dimension, each a multiple of `step` long."""
        array, axis = self.array, self._axis
        if array.ndim == 0 or array.size == 0:
            return
        stop = array.shape[axis] if stop is None else stop
        rows = max(step, _SLAB // self._row // step * step)
        lead = (slice(None),) * axis
        for first in range(start, stop, rows):
            yield nonzero_mask(array[(*lead, slice(first, min(stop, first + rows)))])

    def _count(self, tile: tuple[int, ...]) -> int:
        array, axis = self.array, self._axis
        if not array.size:
            return 0
        step = tile[axis]
        if step == 1 or step * self._row <= _SLAB:
            return sum(int(np.count_nonzero(_merge(mask, tile))) for mask in self._masks(step))
        total = 0
        for start in range(0, array.shape[axis], step):
            # The parts of a tile that is too large for one slab are merged slab by slab.
            parts = (
                _merge(mask, (*tile[:axis], mask.shape[axis], *tile[axis + 1 :]))
                for mask in self._masks(1, start, start + step)
            )
            total += int(np.count_nonzero(reduce(np.logical_or, parts)))
        return total

    def _find_highest(self, dimension: int) -> int:
        size = self.array.shape[dimension]
        if not self.values:
            return 0
        # Most often the last index is in use, which the end of the first slab already shows.
        last = self.array[(slice(None),) * dimension + (slice(size - 1, size),)]
        if nonzero_mask(np.ascontiguousarray(last)).any():
            return int(size) - 1
        axes = tuple(d for d in range(self.array.ndim) if d != dimension)
        if dimension == self._axis:
            used = np.concatenate([np.any(mask, axis=axes) for mask in self._masks(1)])
        else:
            used = reduce(np.logical_or, (np.any(mask, axis=axes) for mask in self._masks(1)))
        return int(np.max(np.flatnonzero(used)))


def _merge(mask: NDArray[np.bool_], tile: tuple[int, ...]) -> NDArray[np.bool_]:
    """One value a tile: whether any value in it is set."""
    for axis, size in enumerate(tile):
        if size == 1:
            continue
        if size <= _WIDEST_STEP:
            # Or-ing strided parts is much faster than reducing over a short axis.
            lead = (slice(None),) * axis
            mask = reduce(np.logical_or, (mask[(*lead, slice(i, None, size))] for i in range(size)))
        else:
            shape = (*mask.shape[:axis], mask.shape[axis] // size, size, *mask.shape[axis + 1 :])
            mask = np.asarray(mask.reshape(shape).any(axis=axis + 1))
    return mask
