"""Which values become zero: those of least worth, one by one or in blocks of output channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["smallest"]


def smallest(worth: NDArray[Any], share: float, block: int = 1) -> NDArray[np.bool_]:
    """Where the values of least worth are.

    Args:
        worth: what each value is worth, shape (outputs, ...); never negative.
        share: the share of values that is chosen, rounded up to whole blocks.
        block: so many neighbouring outputs are chosen together; what is left over of them at the
            end is a smaller block.

    Returns:
        Of the shape of `worth`.
    """
    if block == 1:
        return _smallest_values(worth, _count(share, worth.size))
    rows = worth.reshape(worth.shape[0], -1)
    outputs = rows.shape[0]
    starts = np.arange(0, outputs, block)
    sizes = np.minimum(block, outputs - starts)
    per_value = np.add.reduceat(rows, starts, axis=0) / sizes[:, None]
    order = np.argsort(per_value, axis=None, kind="stable")
    covered = np.cumsum(np.broadcast_to(sizes[:, None], per_value.shape).ravel()[order])
    wanted = _count(share, rows.size)
    chosen = np.zeros(per_value.size, np.bool_)
    chosen[order[: int(np.searchsorted(covered, wanted)) + 1 if wanted else 0]] = True
    blocks = chosen.reshape(per_value.shape)
    return np.repeat(blocks, sizes, axis=0).reshape(worth.shape)


def _count(share: float, size: int) -> int:
    return int(np.ceil(share * size - 1e-9))


def _smallest_values(worth: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """The same without blocks, which takes no sorting; of equal values the first are chosen."""
    values = worth.ravel()
    if not count:
        return np.zeros(worth.shape, np.bool_)
    bound = np.partition(values, count - 1)[count - 1]
    chosen = values < bound
    chosen[np.flatnonzero(values == bound)[: count - int(chosen.sum())]] = True
    return np.asarray(chosen.reshape(worth.shape))
