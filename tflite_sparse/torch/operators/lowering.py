"""What a rule sees of the operator that it turns into a function on PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator

__all__ = ["Lowering", "Rule", "Step", "activation"]

Step = Callable[..., Any]
"""Takes the operator's operands, None for one that is left out; gives its output, or a tuple."""


class Lowering:
    """An operator on its way into PyTorch.

    Maps stay [batch, height, width, channels] throughout. That is how PyTorch lays out what it
    calls channels_last, so that a convolution sees its own order without anything being moved.

    Attributes:
        operator: the operator.
        shapes: the shape of each operand, None for one that is left out.
        known: the value of each operand that is constant, None for any other.
        batched: of each operand, whether its first dimension goes with that of the inputs.
        plain: whether an activation that is fused into the operator is left out.
        mixes_batch: whether the operator does not keep the samples of a batch apart.
    """

    def __init__(
        self,
        operator: Operator,
        shapes: Sequence[tuple[int, ...] | None],
        known: Sequence[NDArray[Any] | None],
        batched: Sequence[bool],
        *,
        plain: bool = False,
    ) -> None:
        self.operator = operator
        self.shapes = shapes
        self.known = known
        self.batched = batched
        self.plain = plain
        self.mixes_batch = False

    def shape(self, operand: int = 0) -> tuple[int, ...]:
        """The shape of an operand.

        Raises:
            UsageError: it is left out.
        """
        shape = self.shapes[operand] if operand < len(self.shapes) else None
        if shape is None:
            raise self.refused(f"lacks operand {operand}")
        return shape

    def option(self, name: str, default: Any = None) -> Any:
        """One option of the operator."""
        return self.operator.option(name, default)

    def integers(self, operand: int) -> list[int]:
        """The values of an operand that has to be constant.

        Raises:
            UsageError: it is computed while the model runs.
        """
        return [int(value) for value in self.array(operand).reshape(-1)]

    def array(self, operand: int) -> NDArray[np.generic]:
        """The value of an operand that has to be constant.

        Raises:
            UsageError: it is computed while the model runs.
        """
        value = self.known[operand] if operand < len(self.known) else None
        if value is None:
            raise self.refused(f"computes operand {operand} only while it runs")
        return value

    def axis(self, number: int, rank: int | None = None) -> int:
        """A dimension counted from the first one; that values move along it is noted."""
        rank = len(self.shape()) if rank is None else rank
        axis = number + rank if number < 0 else number
        self.touches(axis)
        return axis

    def touches(self, axis: int) -> None:
        """Notes that values move along a dimension."""
        self.mixes_batch |= axis == 0 and any(self.batched)

    def refused(self, why: str) -> UsageError:
        """The error that says that the operator has no counterpart here."""
        return UsageError(
            f"cannot be turned into PyTorch: {why}",
            place=self.operator.place,
            hint="leave the model to methods that need no training",
        )

    def activation(self) -> Callable[[Tensor], Tensor]:
        """The activation that is fused into the operator."""
        name = self.option("fused_activation_function", "NONE")
        if name not in _FUSED:
            raise self.refused(f"has the fused activation {name}")
        return _same if self.plain else _FUSED[name]


def activation(step: Callable[..., Tensor], then: Callable[[Tensor], Tensor]) -> Step:
    """A step with an activation behind it."""
    return step if then is _same else lambda *operands: then(step(*operands))


def _same(x: Tensor) -> Tensor:
    return x


def _clamped(low: float, high: float) -> Callable[[Tensor], Tensor]:
    return lambda x: x.clamp(low, high)


_FUSED: dict[str, Callable[[Tensor], Tensor]] = {
    "NONE": _same,
    "RELU": functional.relu,
    "RELU6": functional.relu6,
    "RELU_N1_TO_1": _clamped(-1.0, 1.0),
    "TANH": torch.tanh,
}

Rule = Callable[[Lowering], Step]
"""Makes the function of an operator."""
