"""First and second moments of the values that a filter is multiplied with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Moments"]


class Moments(msgspec.Struct, frozen=True, eq=False):
    """Sums over all positions of all inputs.

    An error e of the weights of an output channel adds e @ second @ e / count to the mean square of
    what it computes, and e @ first / count to its mean.

    Attributes:
        second: of products, shape (groups, columns, columns).
        first: of the values, shape (groups, columns).
        count: number of positions.
    """

    second: NDArray[np.floating[Any]]
    first: NDArray[np.floating[Any]]
    count: int

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> Self:
        """Those of values of shape (groups, positions, columns)."""
        return cls(
            values.swapaxes(1, 2) @ values,
            values.sum(axis=1, dtype=np.float64),
            values.shape[1],
        )

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            np.add(self.second, other.second, dtype=np.float64),
            self.first + other.first,
            self.count + other.count,
        )

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the values, shape (groups, columns)."""
        return np.asarray(self.first / max(self.count, 1), np.float64)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The second moments about the mean, shape (groups, columns, columns)."""
        mean = self.mean
        products = np.asarray(self.second / max(self.count, 1), np.float64)
        return products - mean[:, :, None] * mean[:, None, :]
