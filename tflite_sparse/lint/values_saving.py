"""About how many bytes a weight would save in other numbers, without looking at its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.values.readers import FILTERS

if TYPE_CHECKING:
    from tflite_sparse.inspection.weights.weight_types import UseRecord, WeightFacts

__all__ = ["values_saving"]

_WIDTHS = {"FLOAT32": 4, "FLOAT16": 2}
_SCALE = 4
# A DEQUANTIZE and the tensor behind it, and the quantization.
_UNPACKING, _QUANTIZATION = 200, 60


def values_saving(weight: WeightFacts, values: StoredValues) -> int:
    """Bytes that a weight would take less, beyond what sparse storage saves; 0 or less for none.

    Args:
        weight: a weight of an inspection.
        values: the numbers in which it would be stored.
    """
    width = _WIDTHS.get(weight.type)
    axes = {_axis(use) for use in weight.uses}
    axis = axes.pop() if len(axes) == 1 else None
    if width is None or weight.zeros is None or axis is None or axis >= len(weight.shape):
        return 0
    narrow = 1 if values is StoredValues.INT8 else 2
    base = min(weight.bytes_now, weight.bytes_now - weight.saving)
    dense = weight.elements * narrow
    kept = weight.elements - weight.zeros
    sparse = base - (width - narrow) * kept if base < weight.elements * width else dense
    tables = _QUANTIZATION + _SCALE * weight.shape[axis] if narrow == 1 else 0
    if not any("DEQUANTIZE" in use.through for use in weight.uses):
        tables += _UNPACKING
    return base - min(sparse, dense) - tables


def _axis(use: UseRecord) -> int | None:
    """The dimension of output channels; None where the reader takes no int8 values."""
    place = FILTERS.get(use.name)
    return place.axis if place is not None and place.operand == use.operand else None
