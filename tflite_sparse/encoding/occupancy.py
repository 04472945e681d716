"""Where a dense tensor is not zero: counted in slabs, for the costs of many layouts at once."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Occupancy", "nonzero_mask"]

_SLAB = 1 << 20
_WIDEST_STEP = 16


def nonzero_mask(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are not zero: -0.0 counts as zero, as it does for the runtime, NaN does not."""
    if array.dtype == np.float16:
        # numpy compares half floats one by one; without its sign a zero has no bits.
        return np.asarray(array.view(np.uint16) << 1 != 0)
    return np.asarray(array != 0)


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

    def highest(self, dimension: int) -> int:
        """The largest index along a dimension at which a value is not zero; 0 without any."""
        if dimension not in self._highest:
            self._highest[dimension] = self._find_highest(dimension)
        return self._highest[dimension]

    def _masks(self, step: int) -> Iterator[NDArray[np.bool_]]:
        """Masks of slabs along the first dimension, each a multiple of `step` long."""
        array = self.array
        if array.ndim == 0 or array.size == 0:
            return
        row = array.size // array.shape[0]
        rows = max(step, _SLAB // max(1, row) // step * step)
        for start in range(0, array.shape[0], rows):
            yield nonzero_mask(array[start : start + rows])

    def _count(self, tile: tuple[int, ...]) -> int:
        if not self.array.size:
            return 0
        return sum(int(np.count_nonzero(_merge(mask, tile))) for mask in self._masks(tile[0]))

    def _find_highest(self, dimension: int) -> int:
        size = self.array.shape[dimension]
        if not self.values:
            return 0
        # Most often the last index is in use, which the end of the first slab already shows.
        last = self.array[(slice(None),) * dimension + (slice(size - 1, size),)]
        if nonzero_mask(np.ascontiguousarray(last)).any():
            return int(size) - 1
        axes = tuple(d for d in range(self.array.ndim) if d != dimension)
        if dimension == 0:
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
