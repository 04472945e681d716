"""Finds the weights of a model: the constants worth looking at, each with all its users."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.model.weight_chain import WeightChain, weight_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Model, Operator, Tensor

__all__ = ["LARGE", "Reader", "Weight", "find_weights", "is_pointwise"]

LARGE = 1024
"""Values from which a constant with two dimensions or more counts as a weight of any operator."""

_MATRIX = 2

# Operands that are weights however small they are.
_WEIGHT_OPERANDS: dict[str, frozenset[int]] = {
    "CONV_2D": frozenset({1}),
    "DEPTHWISE_CONV_2D": frozenset({1}),
    "TRANSPOSE_CONV": frozenset({1}),
    "FULLY_CONNECTED": frozenset({1}),
    "BATCH_MATMUL": frozenset({0, 1}),
    "CONV_3D": frozenset({1}),
    "CONV_3D_TRANSPOSE": frozenset({1}),
    "EMBEDDING_LOOKUP": frozenset({1}),
    "EMBEDDING_LOOKUP_SPARSE": frozenset({4}),
    "GATHER": frozenset({0}),
}

# Recurrent operators: every matrix among the operands is one.
_RECURRENT = frozenset(
    {
        "LSTM",
        "RNN",
        "SVDF",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
    }
)
_CHAIN = frozenset({"DENSIFY", "DEQUANTIZE"})


@dataclass(frozen=True, slots=True)
class Reader:
    """One place where a weight is read.

    Attributes:
        operator: the operator that reads it.
        operand: position among its inputs.
        chain: what stands between the weight and the operator.
    """

    operator: Operator
    operand: int
    chain: WeightChain


@dataclass(frozen=True, slots=True)
class Weight:
    """A constant with all the operators that read it.

    Attributes:
        tensor: the tensor that the file stores; the first of several that share the data.
        readers: where it is read, in the order of execution.
    """

    tensor: Tensor
    readers: list[Reader] = field(default_factory=list)


def find_weights(model: Model) -> list[Weight]:
    """The weights of a model, in the order in which operators first read them.

    A weight is a constant that a convolution, matrix product, look-up or recurrent operator has for
    its weights; any other constant with two dimensions or more and at least `LARGE` values; and
    every constant that is stored sparse. Tensors with the same data, type and shape are one weight.
    """
    found: dict[object, Weight] = {}
    for reader in _readers(model):
        tensor = reader.chain.constant
        key = (id(tensor.buffer), tensor.type, tensor.shape)
        found.setdefault(key, Weight(tensor)).readers.append(reader)
    return list(found.values())


def is_pointwise(operator: Operator) -> bool:
    """Whether an operator is a 1x1 convolution."""
    if operator.name != "CONV_2D" or len(operator.inputs) <= 1:
        return False
    weights = operator.inputs[1]
    return weights is not None and len(weights.shape) == 4 and weights.shape[1:3] == (1, 1)  # noqa: PLR2004 - OHWI


def _readers(model: Model) -> Iterator[Reader]:
    for operator in model.operators():
        for operand in range(len(operator.inputs)):
            chain = weight_chain(operator, operand)
            if chain is not None and _is_weight(operator, operand, chain):
                yield Reader(operator, operand, chain)


def _is_weight(operator: Operator, operand: int, chain: WeightChain) -> bool:
    tensor = chain.constant
    if operator.name in _CHAIN and _leads_on(operator):
        # The operators behind it are the readers.
        return False
    if tensor.sparsity is not None or operand in _WEIGHT_OPERANDS.get(operator.name, ()):
        return True
    if len(tensor.shape) < _MATRIX:
        return False
    return operator.name in _RECURRENT or _elements(tensor) >= LARGE


def _leads_on(operator: Operator) -> bool:
    return any(operator.subgraph.consumers(tensor) for tensor in operator.outputs)


def _elements(tensor: Tensor) -> int:
    total = 1
    for size in tensor.shape:
        total *= max(size, 0)
    return total
