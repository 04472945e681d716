"""Where a tensor is read: the operator, the operand, and what unpacks a constant on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.tensor import Tensor

__all__ = ["UNPACKING", "Use", "trace_constant", "uses_of"]

UNPACKING = frozenset({"DENSIFY", "DEQUANTIZE"})
"""Operators that only unpack a constant for those that compute with it."""


class Use(NamedTuple):
    """One place where a tensor is read.

    Attributes:
        operator: the operator that reads it.
        operand: position among the operator's inputs.
        through: the operators that unpack it on the way, at most a DENSIFY and a DEQUANTIZE, in the
            order from the tensor on; () where the operator reads the tensor itself.
    """

    operator: Operator
    operand: int
    through: tuple[Operator, ...] = ()

    @property
    def constant(self) -> Tensor:
        """The tensor that is read, before anything unpacks it."""
        tensor = self.through[0].inputs[0] if self.through else self.operator.inputs[self.operand]
        assert tensor is not None  # noqa: S101 - an operand that is left out has no use
        return tensor

    @property
    def densify(self) -> Operator | None:
        """The DENSIFY on the way."""
        return self._unpacking("DENSIFY")

    @property
    def dequantize(self) -> Operator | None:
        """The DEQUANTIZE on the way."""
        return self._unpacking("DEQUANTIZE")

    def _unpacking(self, name: str) -> Operator | None:
        return next((operator for operator in self.through if operator.name == name), None)


def trace_constant(operator: Operator, operand: int) -> Use | None:
    """Follows one operand back to the constant that it comes from.

    Args:
        operator: the operator that reads it.
        operand: position among its inputs.

    Returns:
        The use of the constant, or None where the operand is absent or no constant.
    """
    tensor = operator.inputs[operand] if operand < len(operator.inputs) else None
    if tensor is None:
        return None
    subgraph = operator.subgraph
    through: tuple[Operator, ...] = ()
    # DENSIFY comes before DEQUANTIZE, each at most once.
    for name in ("DEQUANTIZE", "DENSIFY"):
        producer = subgraph.producer(tensor)
        if producer is None or producer.name != name or len(producer.inputs) != 1:
            continue
        source = producer.inputs[0]
        if source is None:
            return None
        through = (producer, *through)
        tensor = source
    if not tensor.is_constant or tensor.is_variable or subgraph.producer(tensor) is not None:
        return None
    return Use(operator, operand, through)


def uses_of(constant: Tensor) -> Iterator[Use]:
    """Every place where a constant is read, directly or unpacked, in the order of execution.

    An operator that unpacks it counts only where nothing reads on.
    """
    yield from _uses_behind(constant, ())


def _uses_behind(tensor: Tensor, through: tuple[Operator, ...]) -> Iterator[Use]:
    passed = {operator.name for operator in through}
    for operator, operand, _ in tensor.subgraph.consumers(tensor):
        unpacks = operator.name in UNPACKING and operator.name not in passed
        if not unpacks or not operator.outputs:
            yield Use(operator, operand, through)
            continue
        behind = list(_uses_behind(operator.outputs[0], (*through, operator)))
        yield from behind or [Use(operator, operand, through)]
