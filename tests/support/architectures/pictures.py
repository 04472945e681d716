"""Inputs that look like something: shapes and grain, another picture for every seed."""

from __future__ import annotations

import numpy as np

__all__ = ["picture"]

_GRAIN = 0.5


def picture(shape: tuple[int, ...], seed: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """Pictures that differ everywhere, at large and at small: white noise averages out in a net.

    Args:
        shape: batch, height, width, channels.
        seed: another one gives another picture.
        low: the least value.
        high: the largest value.
    """
    rng = np.random.default_rng(seed)
    batch, height, width, channels = shape
    coarse = rng.uniform(-0.5, 0.5, (batch, 5, 6, channels)) + rng.uniform(
        -0.4, 0.4, (batch, 1, 1, channels)
    )
    down = _between(5, height)
    across = _between(6, width)
    smooth = np.einsum("yi,bijc,xj->byxc", down, coarse, across)
    grain = rng.uniform(-_GRAIN, _GRAIN, shape)
    values = np.clip(smooth + grain + 0.5, 0, 1) * (high - low) + low
    return values.astype(np.float32)


def _between(count: int, size: int) -> np.ndarray:
    """A matrix [size, count] that reads a row of `count` values linearly at `size` places."""
    places = np.linspace(0, count - 1, size)
    left = np.minimum(places.astype(int), count - 2)
    weight = places - left
    matrix = np.zeros((size, count))
    matrix[np.arange(size), left] = 1 - weight
    matrix[np.arange(size), left + 1] += weight
    return matrix
