"""Questions about single operators and tensors of a subgraph."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from tflite_sparse.model.quantization import scales_of
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.xnnpack.stages.delegate.operators import UNARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor

__all__ = [
    "ACTIVATIONS",
    "RANK",
    "UNARY_KINDS",
    "computed_inputs",
    "constant_of",
    "has_bias",
    "integers_of",
    "is_map",
    "movable_of",
    "present",
    "reduces_map",
    "remembered",
]

RANK = 4
ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
"""Fused activations that XNNPACK takes."""

UNARY_KINDS = tuple(sorted(set(UNARY) - {"DEQUANTIZE", "QUANTIZE"}))
"""Kinds of operators with one input that work on each element alone."""

_BIAS = 2
_FLOATS = ("f2", "f4")

Answer = TypeVar("Answer")
Subject = TypeVar("Subject", "Operator", "Tensor")
Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Narrows the type of a value that an earlier check has shown to be there."""
    if value is None:
        raise AssertionError("what a check has shown to be there is missing")
    return value


def remembered(function: Callable[[Subject], Answer]) -> Callable[[Subject], Answer]:
    """Caches what a function says about an operator or tensor until the subgraph is edited."""

    @wraps(function)
    def ask(subject: Subject) -> Answer:
        memo, key = subject.subgraph.memo, (function.__qualname__, subject)
        if key not in memo:
            memo[key] = function(subject)
        answer: Answer = memo[key]
        return answer

    return ask


def constant_of(operator: Operator, operand: int) -> NDArray[Any] | None:
    """The value of an operand that is constant, as it is stored: fp32, fp16 or integers.

    A dense constant or one behind DEQUANTIZE; None for anything else.
    """
    if operand >= len(operator.inputs):
        return None
    use = trace_constant(operator, operand)
    if use is None or use.densify is not None or use.constant.sparsity is not None:
        return None
    return use.constant.data


def movable_of(operator: Operator, operand: int) -> NDArray[Any] | None:
    """The value of a constant operand of floats whose values can be put elsewhere, as it is stored.

    Floats, or int8 that a DEQUANTIZE makes floats of, with zero point 0: there 0 is nothing too.
    None for anything else, such as the int8 filters of hybrid kernels.
    """
    data = constant_of(operator, operand)
    if data is None or data.dtype.str[1:] in _FLOATS:
        return data
    use = present(trace_constant(operator, operand))
    unpacked = use.dequantize is not None and use.constant.type == "INT8"
    return data if unpacked and scales_of(use.constant) is not None else None


def integers_of(operator: Operator, operand: int) -> tuple[int, ...] | None:
    """The integers of a constant operand; None where it is none."""
    data = constant_of(operator, operand)
    if data is None or data.dtype.kind not in "iu":
        return None
    return tuple(int(n) for n in data.reshape(-1))


@remembered
def computed_inputs(operator: Operator) -> list[Tensor]:
    """The operands of a binary operator that are no constants, each once."""
    tensors = [
        tensor
        for operand, tensor in enumerate(operator.inputs)
        if tensor is not None and constant_of(operator, operand) is None
    ]
    return list(dict.fromkeys(tensors))


def has_bias(operator: Operator) -> bool:
    """Whether a convolution reads a bias."""
    return len(operator.inputs) > _BIAS and operator.inputs[_BIAS] is not None


def is_map(tensor: Tensor | None) -> bool:
    """Whether a value is a 4-D fp32 tensor of known size."""
    return (
        tensor is not None
        and tensor.type == "FLOAT32"
        and len(tensor.shape) == RANK
        and min(tensor.shape) > 0
    )


def reduces_map(operator: Operator) -> bool:
    """Whether a reduction runs along height and width of a map, and nothing else."""
    axes = integers_of(operator, 1)
    spatial = axes is not None and sorted(axis % RANK for axis in axes) == [1, 2]
    return spatial and is_map(operator.inputs[0])
