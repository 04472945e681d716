"""The chain by which a constant reaches an operator: constant, DENSIFY, DEQUANTIZE, operand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass

if TYPE_CHECKING:
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.tensor import Tensor

__all__ = ["WeightChain", "weight_chain"]


@dataclass(frozen=True, slots=True)
class WeightChain:
    """How a constant reaches an operand.

    Attributes:
        constant: the tensor that the file stores.
        operand: the tensor that the operator reads; the constant itself where nothing is between.
        densify: the DENSIFY between them, if any.
        dequantize: the DEQUANTIZE between them, if any.
    """

    constant: Tensor
    operand: Tensor
    densify: Operator | None = None
    dequantize: Operator | None = None


def weight_chain(operator: Operator, operand: int) -> WeightChain | None:
    """Follows one operand back to the constant it comes from.

    Args:
        operator: the operator that reads it.
        operand: position among its inputs.

    Returns:
        The chain, or None where the operand is absent or no constant.
    """
    tensor = operator.inputs[operand] if operand < len(operator.inputs) else None
    if tensor is None:
        return None
    subgraph = operator.subgraph
    found: dict[str, Operator] = {}
    current = tensor
    # DENSIFY comes before DEQUANTIZE, each at most once.
    for name in ("DEQUANTIZE", "DENSIFY"):
        producer = subgraph.producer(current)
        if producer is None or producer.name != name or len(producer.inputs) != 1:
            continue
        source = producer.inputs[0]
        if source is None:
            return None
        found[name] = producer
        current = source
    if not current.is_constant or current.is_variable or subgraph.producer(current) is not None:
        return None
    return WeightChain(current, tensor, found.get("DENSIFY"), found.get("DEQUANTIZE"))
