"""Weights with zeros where a test wants them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["block_mask", "weights", "with_zeros", "without_smallest"]


def with_zeros(rng: np.random.Generator, array: np.ndarray, zeros: float) -> np.ndarray:
    """A copy of an array with exactly round(size * zeros) elements set to zero, at random."""
    flat = array.reshape(-1).copy()
    flat[rng.permutation(flat.size)[: round(flat.size * zeros)]] = 0
    return flat.reshape(array.shape)


def without_smallest(array: np.ndarray, zeros: float) -> np.ndarray:
    """A copy of an array with exactly round(size * zeros) elements of least magnitude set to 0."""
    flat = array.reshape(-1).copy()
    count = round(flat.size * zeros)
    if count:
        flat[np.argpartition(np.abs(flat), count - 1)[:count]] = 0
    return flat.reshape(array.shape)


def block_mask(
    rng: np.random.Generator, shape: Sequence[int], block: Sequence[int], zeros: float
) -> np.ndarray:
    """Where to keep values so that whole blocks are zero: the `mask` of a layer.

    Args:
        rng: where the blocks come from.
        shape: of the weights; a block at an end may be cut off.
        block: size of a block in each dimension, such as (4, 1, 1, 1) for 4 outputs.
        zeros: share of zero blocks; exactly round(blocks * zeros) of them are placed.
    """
    grid = tuple(-(-size // part) for size, part in zip(shape, block, strict=True))
    mask = with_zeros(rng, np.ones(grid, np.uint8), zeros).astype(bool)
    for axis, part in enumerate(block):
        mask = mask.repeat(part, axis)
    return mask[tuple(slice(size) for size in shape)]


def weights(
    rng: np.random.Generator,
    shape: Sequence[int],
    fan_in: int,
    zeros: float = 0.0,
    mask: Any = None,
) -> np.ndarray:
    """Weights of a scale that keeps activations sane.

    Args:
        rng: where they come from.
        shape: their shape.
        fan_in: how many of them one output adds up.
        zeros: share of zeros; exactly round(size * zeros) are placed at random.
        mask: where to keep values instead, as an array that broadcasts to the shape.
    """
    values = rng.standard_normal(shape).astype(np.float32) * math.sqrt(2 / max(1, fan_in))
    # What is not meant to be a zero must not be one by rounding, in half precision either.
    values = np.where(np.abs(values) < 1e-3, np.float32(1e-2), values)
    if mask is not None:
        return np.where(mask, values, np.float32(0))
    return with_zeros(rng, values, zeros)
