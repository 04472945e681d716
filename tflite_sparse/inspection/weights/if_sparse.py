"""What sparse storage would make of a weight: the best encoding and its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from numpy.typing import NDArray

from tflite_sparse.encoding import Layout, Occupancy, encode, search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Tensor
    from tflite_sparse.model.zero_counts import Counts

__all__ = ["SPARSE_TYPES", "Storage", "best_storage", "cannot_be_sparse"]

SPARSE_TYPES = ("FLOAT32", "FLOAT16", "INT8")
"""Element types that the runtime's DENSIFY takes (tflite/kernels/densify.cc)."""

# Tables of a DENSIFY and of the tensor behind it; those of its quantization, if any.
_DENSIFY_BYTES = 132
_QUANTIZATION_BYTES = 48
_MATRIX = 2


class Storage(msgspec.Struct, frozen=True):
    """The best sparse encoding of a weight.

    Attributes:
        values: the dense weight.
        layout: how it would be encoded.
        label: that in short.
        nbytes: bytes that it would take in the file: values, segments, indices, and for a weight
            that is stored dense now also the tables that come with sparse storage.
    """

    values: NDArray[Any]
    layout: Layout
    label: str
    nbytes: int

    def arrays(self) -> Sequence[NDArray[Any]]:
        """What would be stored: values, then segments and indices of each sparse level."""
        encoded = encode(self.values, self.layout)
        levels = (array for level in encoded.levels for array in (level.segments, level.indices))
        return [encoded.values, *(array for array in levels if array is not None)]


def cannot_be_sparse(tensor: Tensor, *, shifted: bool) -> str | None:
    """Why a weight cannot be stored sparse, or None.

    Args:
        tensor: the weight.
        shifted: whether it has a zero point other than 0.
    """
    if tensor.type not in SPARSE_TYPES:
        return f"DENSIFY takes no {tensor.type}"
    if len(tensor.shape) < _MATRIX:
        return "it is a vector"
    if shifted:
        # What is not stored is filled with literal zeros.
        return "its zero point is not 0"
    return None


def best_storage(
    tensor: Tensor, values: NDArray[Any], counts: Counts, *, shifted: bool
) -> tuple[Storage | None, str | None]:
    """The smallest sparse encoding of a weight.

    Args:
        tensor: the weight.
        values: its dense value.
        counts: its zeros.
        shifted: whether it has a zero point other than 0.

    Returns:
        The encoding and None, or None and the reason why there is none.
    """
    reason = cannot_be_sparse(tensor, shifted=shifted)
    if reason is not None:
        return None, reason
    known = {(1,) * values.ndim: counts.elements - counts.zeros}
    choice = search(Occupancy(values, known))
    if choice is None:
        return None, "it has no values"
    tables = 0 if tensor.sparsity is not None else choice.cost.structure + _densify_bytes(tensor)
    label = choice.layout.describe(values.shape)
    return Storage(values, choice.layout, label, choice.cost.nbytes + tables), None


def _densify_bytes(tensor: Tensor) -> int:
    quantization = 0 if tensor.quantization is None else _QUANTIZATION_BYTES
    return _DENSIFY_BYTES + len(tensor.name) + quantization
