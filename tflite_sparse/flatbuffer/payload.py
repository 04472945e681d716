"""Vectors whose numbers are not made before the file is written.

A rewrite that encodes a gigabyte of weights knows the exact size of each result long before it has
the result. A `Deferred` vector stands in the tree in its place; the writer asks for the numbers
when their turn comes and drops them at once, so that memory holds one tensor, not the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import RewriteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Deferred", "Vector", "as_vector"]


class Deferred:
    """A vector of numbers that is computed when it is written.

    Args:
        size: number of elements.
        dtype: type of the elements.
        make: computes the vector, shape (size,); it may be called more than once.
        group: vectors of one group are written next to each other, so that `make` functions which
            share a computation can share its result. None for a vector on its own.
        ahead: whether to compute it while the one before is written: it takes long, and what comes
            of it is small.
    """

    __slots__ = ("_make", "ahead", "dtype", "group", "size")

    def __init__(
        self,
        size: int,
        dtype: Any,
        make: Callable[[], NDArray[Any]],
        group: object | None = None,
        *,
        ahead: bool = False,
    ) -> None:
        self.size = size
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._make = make
        self.group = group
        self.ahead = ahead

    def __len__(self) -> int:
        return self.size

    @property
    def nbytes(self) -> int:
        """Size of the numbers in bytes, without the length prefix."""
        return self.size * self.dtype.itemsize

    def compute(self) -> NDArray[Any]:
        """The numbers, shape (size,).

        Raises:
            RewriteError: what was computed has not the size or type that was promised.
        """
        numbers = self._make()
        if numbers.dtype != self.dtype or numbers.shape != (self.size,):
            raise RewriteError(
                f"a vector of {numbers.shape} {numbers.dtype} was made"
                f" where ({self.size},) {self.dtype} was promised"
            )
        return numbers


Vector = Any
"""A vector of numbers in a table: a 1-D numpy array or a `Deferred`."""


def as_vector(value: Any, code: str) -> Vector:
    """The value as a 1-D little-endian vector of the numpy type `code`."""
    if isinstance(value, Deferred):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return np.frombuffer(value, np.dtype(code))
    vector = np.ascontiguousarray(value, np.dtype(code))
    # A vector that several tables share stays one, and is written once.
    return vector if vector.ndim == 1 else vector.reshape(-1)
