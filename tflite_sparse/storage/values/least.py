"""The least of many numbers, without putting all of them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["least"]


def least(numbers: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Where the least numbers are; of equal ones the first, of those that are none the last.

    Args:
        numbers: shape (n,).
        count: how many of them; all where there are no more.

    Returns:
        Shape (n,), as the first `count` of a stable order would be.
    """
    if not 0 < count < numbers.size:
        return np.full(numbers.shape, count > 0)
    largest = np.partition(numbers, count - 1)[count - 1]
    chosen: NDArray[np.bool_]
    if np.isnan(largest):
        chosen, equal = ~np.isnan(numbers), np.isnan(numbers)
    else:
        chosen, equal = numbers < largest, numbers == largest
    chosen[np.flatnonzero(equal)[: count - int(np.count_nonzero(chosen))]] = True
    return chosen
