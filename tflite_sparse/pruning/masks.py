"""Which values become zero: those of least worth, one by one or in blocks of output channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.storage.values.least import least

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
    rows = worth.reshape(worth.shape[0], -1)
    wanted = int(np.ceil(share * rows.size - 1e-9))
    if block == 1:
        return least(rows.ravel(), wanted).reshape(worth.shape)
    outputs = rows.shape[0]
    starts = np.arange(0, outputs, block)
    sizes = np.minimum(block, outputs - starts)
    per_value = np.add.reduceat(rows, starts, axis=0) / sizes[:, None]
    if outputs % block == 0:
        blocks = least(per_value.ravel(), -(-wanted // block)).reshape(per_value.shape)
        return np.repeat(blocks, block, axis=0).reshape(worth.shape)
    order = np.argsort(per_value, axis=None, kind="stable")
    covered = np.cumsum(np.broadcast_to(sizes[:, None], per_value.shape).ravel()[order])
    chosen = np.zeros(per_value.size, np.bool_)
    chosen[order[: int(np.searchsorted(covered, wanted)) + 1 if wanted else 0]] = True
    blocks = chosen.reshape(per_value.shape)
    return np.repeat(blocks, sizes, axis=0).reshape(worth.shape)
