"""What sparse storage would make of a weight: the best encoding and its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from numpy.typing import NDArray

from tflite_sparse.encoding import Layout, Occupancy, encode, search
from tflite_sparse.model.densify_limit import DensifyLimit, densify_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Tensor
    from tflite_sparse.model.zero_counts import Counts

__all__ = ["Storage", "best_storage"]

_LIMITS = {
    DensifyLimit.TYPE: "DENSIFY takes no {type}",
    DensifyLimit.RANK: "it is a vector",
    DensifyLimit.ZERO_POINT: "its zero point is not 0",
}

# Tables of a DENSIFY and of the tensor behind it; those of its quantization, if any.
_DENSIFY_BYTES = 132
_QUANTIZATION_BYTES = 48


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
    limit = densify_limit(tensor, shifted=shifted)
    if limit is not None:
        return None, _LIMITS[limit].format(type=tensor.type)
    nonzeros = {(1,) * values.ndim: counts.elements - counts.zeros}
    choice = search(Occupancy(values, nonzeros))
    if choice is None:
        return None, "it has no values"
    tables = 0 if tensor.sparsity is not None else choice.cost.structure + _densify_bytes(tensor)
    label = choice.layout.describe(values.shape)
    return Storage(values, choice.layout, label, choice.cost.nbytes + tables), None


def _densify_bytes(tensor: Tensor) -> int:
    quantization = 0 if tensor.quantization is None else _QUANTIZATION_BYTES
    return _DENSIFY_BYTES + len(tensor.name) + quantization
