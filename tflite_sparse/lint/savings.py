"""About how many bytes a weight would save in other numbers, without looking at its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.storage.encoding_choice import unpacked_nbytes
from tflite_sparse.storage.values.forms import scales_nbytes
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.values.readers import FILTERS

if TYPE_CHECKING:
    from tflite_sparse.inspection.weights.weight_types import UseRecord, WeightFacts

__all__ = ["values_saving"]

_WIDTHS = {"FLOAT32": 4, "FLOAT16": 2}


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
    # Tensors of several subgraphs that hold the same bytes have tables of their own.
    tensors = len({use.subgraph for use in weight.uses})
    unpacking = tensors * unpacked_nbytes(weight.name, quantized=weight.quantization is not None)
    tables = scales_nbytes(tensors, weight.shape[axis]) if narrow == 1 else 0
    now = unpacking if weight.dequantized else 0
    dense = weight.elements * narrow + unpacking + tables
    if weight.encoding is not None:
        now += weight.bytes_now + unpacking + tensors * weight.encoding.structure_nbytes
    elif weight.smaller and weight.bytes_sparse is not None:
        now += weight.bytes_sparse
    else:
        return now + weight.bytes_now - dense
    kept = weight.elements - weight.zeros
    sparse = now - (width - narrow) * kept + tables + (0 if weight.dequantized else unpacking)
    return now - min(sparse, dense)


def _axis(use: UseRecord) -> int | None:
    """The dimension of output channels; None where the reader takes no int8 values."""
    place = FILTERS.get(use.name)
    return place.axis if place is not None and place.operand == use.operand else None
