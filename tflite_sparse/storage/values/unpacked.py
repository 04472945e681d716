"""What the runtime makes of a constant that stands behind a DEQUANTIZE."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model.quantization import zero_points
from tflite_sparse.model.sparse import decoded
from tflite_sparse.storage.values.quantize import dequantized

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.flatbuffer.table import Table
    from tflite_sparse.model import Operator, Tensor

__all__ = ["dequantizes", "fp32_source"]

_PACKED = ("FLOAT16", "INT8")


def dequantizes(operator: Operator, constant: Tensor) -> bool:
    """Whether an operator is a DEQUANTIZE that makes fp32 of a constant, or of one unpacked before.

    Args:
        operator: the operator.
        constant: the constant that the file stores.
    """
    if operator.name != "DEQUANTIZE" or len(operator.outputs) != 1:
        return False
    table = constant.quantization
    fits = constant.type == "FLOAT16" or (table is not None and _scales_fit(table, constant.shape))
    output = operator.outputs[0]
    same = (output.type, output.shape) == ("FLOAT32", constant.shape)
    return constant.type in _PACKED and fits and same


def fp32_source(constant: Tensor) -> Callable[[], NDArray[Any]]:
    """What gives a constant's value as fp32; what the file stores is taken now.

    Args:
        constant: a constant of fp16 or int8, see `dequantizes`.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape.
    """
    stored = decoded(constant)
    assert stored is not None  # noqa: S101 - a constant of a type with a fixed width
    if constant.type == "FLOAT16":
        return partial(stored.astype, np.float32)
    table = constant.quantization
    assert table is not None  # noqa: S101 - int8 has scales
    return partial(
        _real, stored, zero_points(constant), table["scale"], int(table["quantized_dimension"])
    )


def _scales_fit(table: Table, shape: tuple[int, ...]) -> bool:
    """Whether there is one scale, or one for each channel."""
    scales, axis = table["scale"], int(table["quantized_dimension"])
    if scales is None:
        return False
    return scales.size == 1 or (0 <= axis < len(shape) and scales.size == shape[axis])


def _real(
    stored: NDArray[np.int8], points: NDArray[np.int64] | None, scales: Any, axis: int
) -> NDArray[np.float32]:
    # A difference of two bytes has nine bits: its product with a scale is exact in double too.
    whole = stored if points is None else stored.astype(np.int16) - points.astype(np.int16)
    return dequantized(whole, scales, axis)
