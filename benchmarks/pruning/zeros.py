"""The share of zeros of each pruned filter, as a training is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["zeros_of"]

_RANK = 4


def zeros_of(pruned: Model) -> dict[str, float]:
    """Filters with zeros for the most part, by number, with their share of zeros.

    Args:
        pruned: the model, stored dense.
    """
    shares = {
        f"#{tensor.index}": float(np.mean(np.asarray(tensor.data) == 0))
        for tensor in pruned.main.tensors
        if tensor.is_constant and len(tensor.shape) == _RANK
    }
    return {name: share for name, share in shares.items() if share > 1 / 2}
