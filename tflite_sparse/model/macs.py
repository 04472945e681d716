"""Multiplications of an operator, as though no weight were zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.tensor import Tensor

__all__ = ["macs"]


def _shape(tensors: tuple[Tensor | None, ...], index: int) -> tuple[int, ...]:
    tensor = tensors[index] if index < len(tensors) else None
    return () if tensor is None else tensor.shape


def macs(operator: Operator) -> int:
    """Multiply-accumulate operations of a convolution or matrix product; 0 for other operators.

    Shapes are taken from the model; a size that is only known at run time counts as stated there.
    """
    name = operator.custom_code or operator.name
    result = math.prod(_shape(operator.outputs, 0))
    first, second = _shape(operator.inputs, 0), _shape(operator.inputs, 1)
    if name == "CONV_2D":
        return result * math.prod(second[1:])
    if name == "DEPTHWISE_CONV_2D":
        return result * math.prod(second[1:3])
    if name == "FULLY_CONNECTED":
        return result * (second[-1] if second else 0)
    if name == "TRANSPOSE_CONV":
        return math.prod(_shape(operator.inputs, 2)) * math.prod(second[:3])
    if name == "Convolution2DTransposeBias":
        return math.prod(first) * math.prod(second[:3])
    if name == "BATCH_MATMUL" and first:
        return result * first[-2 if operator.option("adj_x", default=False) else -1]
    return 0
