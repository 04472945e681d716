"""New values of a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.model import Tensor
from tflite_sparse.pruning.edit import set_bias, set_filter
from tflite_sparse.pruning.masks import smallest

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.pruning.filters import Prunable
    from tflite_sparse.rewrite.writing.proof import Expected

__all__ = ["Fitted", "by_magnitude", "put_in", "zeros_of"]


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


def by_magnitude(prunable: Prunable, kept: float, block: int, note: str | None = None) -> Fitted:
    """The values of a filter with the smallest of them zero, and nothing else changed.

    Args:
        prunable: the filter.
        kept: the share of values that it keeps.
        block: so many neighbouring output channels become zero together.
        note: what else there is to know.
    """
    values = prunable.values
    # The order of single values is that of their squares.
    worth = np.abs(values) if block == 1 else np.square(values, dtype=np.float64)
    mask = smallest(worth, 1 - kept, block)
    return Fitted(np.where(mask, np.float32(0), values), note=note)


def put_in(model: Model, prunable: Prunable, fit: Fitted) -> list[Expected]:
    """Gives a filter, and the bias of its convolution, their new values.

    Args:
        model: the model that is edited, a copy of the one that the filter was found in.
        prunable: the filter.
        fit: the new values.

    Returns:
        What the model's constants are then expected to hold.

    Raises:
        RewriteError: the model cannot be written without loss.
    """
    expected = set_filter(model, prunable.weight, fit.values)
    if fit.bias is not None:
        expected.append(set_bias(model, *fit.bias))
    return expected


def zeros_of(values: NDArray[Any]) -> int:
    """How many values are zero."""
    return int(values.size - np.count_nonzero(values))
