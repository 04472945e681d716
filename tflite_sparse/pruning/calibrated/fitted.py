"""New values of a filter."""

from __future__ import annotations

from typing import Any

import msgspec
from numpy.typing import NDArray

from tflite_sparse.model import Tensor

__all__ = ["Fitted"]


class Fitted(msgspec.Struct, frozen=True, eq=False):
    """New values of a filter.

    Attributes:
        values: of the filter's shape.
        bias: the bias of its convolution and the bias's new values; None where that stays.
        error: power of the differences as a share of the variance; None where nobody measured.
        note: what else there is to know.
    """

    values: NDArray[Any]
    bias: tuple[Tensor, NDArray[Any]] | None = None
    error: float | None = None
    note: str | None = None
