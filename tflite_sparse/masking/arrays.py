"""What masks ask of a library of arrays, and NumPy's answer."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

__all__ = ["Arrays", "NumpyArrays"]


class Arrays(Protocol):
    """The few things that masks are made with, over arrays of one library."""

    def summed(self, values: Any, block: int) -> Any:
        """Magnitudes of values, those of so many neighbours along the first axis added up."""

    def largest(self, scores: Any, count: int) -> Any:
        """Where the largest scores are: as many booleans that are true."""

    def chosen(self, condition: Any, values: Any, other: float) -> Any:
        """The values where a condition holds, and another one elsewhere."""

    def spread(self, mask: Any, block: int) -> Any:
        """A mask of blocks as one of values."""

    def is_finite(self, values: Any) -> bool:
        """Whether all values are finite."""


class NumpyArrays:
    """NumPy."""

    def summed(self, values: Any, block: int) -> Any:
        """See `Arrays`."""
        magnitudes = np.abs(values)
        if block == 1:
            return magnitudes
        return magnitudes.reshape(-1, block, *values.shape[1:]).sum(1)

    def largest(self, scores: Any, count: int) -> Any:
        """See `Arrays`."""
        mask = np.zeros(scores.size, np.bool_)
        if count:
            mask[np.argpartition(scores.ravel(), scores.size - count)[scores.size - count :]] = True
        return mask.reshape(scores.shape)

    def chosen(self, condition: Any, values: Any, other: float) -> Any:
        """See `Arrays`."""
        return np.where(condition, values, other)

    def spread(self, mask: Any, block: int) -> Any:
        """See `Arrays`."""
        return np.repeat(mask, block, axis=0)

    def is_finite(self, values: Any) -> bool:
        """See `Arrays`."""
        return bool(np.isfinite(values).all())
