"""Which tensors the runtime's DENSIFY can unpack: only those can be stored sparse."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.model.tensor import Tensor

__all__ = ["DENSIFY_TYPES", "DensifyLimit", "densify_limit"]

DENSIFY_TYPES = frozenset({"FLOAT32", "FLOAT16", "INT8"})
"""Element types that the runtime's DENSIFY takes (tflite/kernels/densify.cc)."""

_MATRIX = 2


class DensifyLimit(Enum):
    """What keeps DENSIFY from unpacking a tensor."""

    TYPE = auto()
    RANK = auto()
    ZERO_POINT = auto()


def densify_limit(tensor: Tensor, *, shifted: bool) -> DensifyLimit | None:
    """Why a tensor cannot be stored sparse, or None where nothing in the format forbids it.

    Args:
        tensor: a weight.
        shifted: whether it has a zero point other than 0; what is not stored is filled with
            literal zeros.
    """
    if tensor.type not in DENSIFY_TYPES:
        return DensifyLimit.TYPE
    if len(tensor.shape) < _MATRIX:
        return DensifyLimit.RANK
    return DensifyLimit.ZERO_POINT if shifted else None
