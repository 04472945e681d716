"""What a rule of shapes asks about an operator: shapes of its operands, integers, options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.model.uses import trace_constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.tensor import Tensor

__all__ = ["RANK", "Operands", "Shape"]

Shape = tuple[int, ...]

RANK = 4
"""Dimensions of a map: batch, height, width, channels."""

_BIAS = 2


class Operands:
    """An operator as the rules see it.

    Attributes:
        operator: the operator.
        known: integers that are computed while the model runs, as far as they were worked out.
    """

    def __init__(
        self, operator: Operator, known: Mapping[Tensor, NDArray[Any]] | None = None
    ) -> None:
        self.operator = operator
        self.known = known or {}

    def __len__(self) -> int:
        return len(self.operator.inputs)

    def shape(self, operand: int) -> Shape:
        """The shape of an operand.

        Raises:
            IndexError: there is no such operand.
            ValueError: it is left out.
        """
        tensor = self.operator.inputs[operand]
        if tensor is None:
            raise ValueError("the operand is missing")
        return tensor.shape

    def map(self, operand: int = 0) -> Shape:
        """The shape of an operand that is a map.

        Raises:
            IndexError: there is no such operand.
            ValueError: it is none.
        """
        shape = self.shape(operand)
        if len(shape) != RANK or min(shape) < 1:
            raise ValueError("no map")
        return shape

    def array(self, operand: int) -> NDArray[Any] | None:
        """The value of an operand that is constant or was worked out, None for any other."""
        if operand >= len(self.operator.inputs):
            return None
        tensor = self.operator.inputs[operand]
        if tensor is not None and tensor in self.known:
            return self.known[tensor]
        use = trace_constant(self.operator, operand)
        if use is None or use.densify is not None or use.constant.sparsity is not None:
            return None
        return use.constant.data

    def integers(self, operand: int) -> tuple[int, ...] | None:
        """The integers of such an operand, None where it has none."""
        data = self.array(operand)
        if data is None or data.dtype.kind not in "iu":
            return None
        return tuple(int(n) for n in data.reshape(-1))

    def option(self, name: str, default: Any) -> Any:
        """One option of the operator, `default` where it has none."""
        return self.operator.option(name, default)

    def bias_fits(self, channels: int) -> bool:
        """Whether the bias of a convolution, if there is one, has a value for each channel."""
        has_bias = len(self) > _BIAS and self.operator.inputs[_BIAS] is not None
        return not has_bias or self.shape(_BIAS) == (channels,)
