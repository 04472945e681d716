"""The constants of a model: which are weights to be trained, and the values of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import UsageError
from tflite_sparse.model.quantization import zero_points
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.types import FLOATS
from tflite_sparse.model.uses import UNPACKING, trace_constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Subgraph, Tensor

__all__ = ["constant_value", "trainable", "unpacks_a_constant"]

# Operands that hold what is learnt; any other constant is arithmetic of the model's author.
_LEARNT: dict[str, tuple[int, ...]] = {
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "TRANSPOSE_CONV": (1, 3),
    "Convolution2DTransposeBias": (1, 2),
    "FULLY_CONNECTED": (1, 2),
    "BATCH_MATMUL": (0, 1),
    "PRELU": (1,),
}


def trainable(subgraph: Subgraph) -> Iterator[Tensor]:
    """The constants to be trained, in the order of reading; one that is read often comes as often.

    Those are filters, biases and slopes in single or half precision. What is quantized or stored
    sparse keeps its values.
    """
    for operator in subgraph.operators:
        for operand in _LEARNT.get(operator.custom_code or operator.name, ()):
            use = trace_constant(operator, operand)
            if use is None or use.constant.type not in FLOATS or use.constant.sparsity is not None:
                continue
            yield use.constant


def unpacks_a_constant(operator: Operator) -> Tensor | None:
    """The constant that an operator only unpacks, None for any other operator."""
    if operator.name not in UNPACKING or not operator.outputs:
        return None
    use = trace_constant(operator, 0)
    return None if use is None else use.constant


def constant_value(tensor: Tensor) -> NDArray[Any]:
    """The value of a constant as operators compute with it: floats in single precision.

    Args:
        tensor: a constant; what is quantized with a scale is dequantized.

    Raises:
        UsageError: its type is none to compute with.
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape.
    """
    value = decoded(tensor)
    if value is None or tensor.type not in (*FLOATS, "INT8", "UINT8", "INT16", *_INTEGERS):
        raise UsageError(f"values of type {tensor.type} are not trained with", place=tensor.place)
    if tensor.type in FLOATS:
        return value.astype(np.float32)
    scales = None if tensor.quantization is None else tensor.quantization["scale"]
    if tensor.type in _INTEGERS or scales is None or not scales.size:
        return np.asarray(value)
    points = zero_points(tensor)
    shape = [1] * value.ndim
    if scales.size > 1:
        shape[int(tensor.quantization["quantized_dimension"])] = scales.size  # type: ignore[index]
    whole = value.astype(np.int32) - (0 if points is None else points.astype(np.int32))
    return whole.astype(np.float32) * scales.astype(np.float32).reshape(shape)


_INTEGERS = ("INT32", "INT64", "BOOL")
