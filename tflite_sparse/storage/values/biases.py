"""Biases that go with their filters: XNNPACK gives fp16 filters fp16 biases, and fp32 ones fp32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from tflite_sparse.model.uses import trace_constant, uses_of
from tflite_sparse.model.weights import Weight, by_content
from tflite_sparse.storage.encoding_choice import densify_nbytes
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.values.half import fits_half, halved
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.values.readers import HALVES, filter_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Operator, Use

__all__ = ["BiasMove", "Biases", "let_biases_follow"]


class BiasMove(msgspec.Struct, frozen=True, eq=False):
    """A bias that must be stored in other numbers.

    Attributes:
        weight: the bias.
        values: fp16, to stand behind a DEQUANTIZE, or fp32.
        grows: the most bytes that it takes more by that.
    """

    weight: Weight
    values: StoredValues
    grows: int

    def data(self) -> NDArray[Any]:
        """The bias in its new numbers."""
        stored = self.weight.tensor.data
        assert stored is not None  # noqa: S101 - a constant
        if self.values is StoredValues.FP16:
            return halved(stored)
        return stored.astype(np.float32)


class Biases:
    """The biases of a model.

    Args:
        model: the model.
        values: the numbers of the filters.
    """

    def __init__(self, model: Model, values: StoredValues) -> None:
        self._half = values is StoredValues.FP16
        self._by_content = by_content(model)
        self._metadata = {entry.buffer.content for entry in model.metadata}
        self._moves: dict[object, BiasMove] = {}

    def of(self, operator: Operator, converted: Collection[Operator]) -> BiasMove | Refusal | None:
        """What must become of the bias of an operator whose filter is stored in other numbers.

        Args:
            operator: the operator.
            converted: all operators whose filters are.

        Returns:
            The change, None where the bias can stay as it is, or why the filter cannot be stored
            otherwise.
        """
        place = filter_of(operator)
        if place is None or operator.name not in HALVES:
            return None
        if place.bias >= len(operator.inputs) or operator.inputs[place.bias] is None:
            return None
        use = trace_constant(operator, place.bias)
        if use is None:
            return self._computed()
        if (use.constant.type == "FLOAT16") is self._half:
            return None
        return self._move(use, converted)

    def _computed(self) -> Refusal | None:
        if not self._half:
            return None
        return Refusal("bias", "its operator has a bias that is computed, which would stay fp32")

    def _move(self, use: Use, converted: Collection[Operator]) -> BiasMove | Refusal:
        constant = use.constant
        content = constant.buffer.content
        tensors = self._by_content.get(content, [constant])
        uses = [other for tensor in tensors for other in uses_of(tensor)]
        bias = Weight(tensors, uses, is_metadata=content in self._metadata)
        why = self._refusal(bias, converted)
        if why is not None:
            return Refusal("bias", why)
        if content not in self._moves:
            half = StoredValues.FP16
            self._moves[content] = BiasMove(
                bias, half if self._half else StoredValues.FP32, self._growth(bias)
            )
        return self._moves[content]

    def _refusal(self, bias: Weight, converted: Collection[Operator]) -> str | None:
        """Why a bias cannot follow its filter, or None."""
        constant = bias.tensor
        stays = constant.sparsity is not None or not bias.alike or bias.is_metadata
        if stays or any(tensor in tensor.subgraph.interface for tensor in bias.tensors):
            return "its operator has a bias that must stay as it is"
        if constant.type != ("FLOAT32" if self._half else "FLOAT16"):
            return f"its operator has a bias of {constant.type}"
        why = next(filter(None, (self._use_refusal(use, converted) for use in bias.uses)), None)
        data = constant.data
        if why is None and self._half and (data is None or not fits_half(data)):
            return "its operator has a bias beyond the range of fp16"
        return why

    def _use_refusal(self, use: Use, converted: Collection[Operator]) -> str | None:
        place = filter_of(use.operator)
        if place is None or use.operand != place.bias or use.operator not in converted:
            return "its operator shares its bias with one that keeps its numbers"
        if (use.dequantize is None) is not self._half:
            return "its operator has a bias that must stay as it is"
        return None

    def _growth(self, bias: Weight) -> int:
        half = bias.tensor.size * 2
        return sum(map(densify_nbytes, bias.tensors)) - half if self._half else half


class FilterDecision(Protocol):
    """What is decided about a filter.

    Attributes:
        biases: biases that must follow it, of those that several filters share the first one's.
    """

    biases: tuple[BiasMove, ...]

    @property
    def weight(self) -> Weight:
        """The filter, or another weight."""
        ...

    @property
    def changes(self) -> bool:
        """Whether it is to be stored in other numbers."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Lets it keep its numbers."""
        ...


def let_biases_follow(
    model: Model, decisions: Iterable[FilterDecision], values: StoredValues
) -> None:
    """Lets biases follow their filters, and filters stay where a bias cannot.

    Args:
        model: the model as it is.
        decisions: about its weights; their `biases` are set, and some are refused.
        values: the numbers of the filters.
    """
    decisions = list(decisions)
    while True:
        biases = Biases(model, values)
        converted = {
            operator for each in decisions if each.changes for operator in each.weight.readers
        }
        refused = False
        given: set[BiasMove] = set()
        for decision in decisions:
            if not decision.changes:
                continue
            moves = [biases.of(operator, converted) for operator in decision.weight.readers]
            refusal = next((each for each in moves if isinstance(each, Refusal)), None)
            if refusal is not None:
                decision.refuse(refusal)
                refused = True
                continue
            own = dict.fromkeys(each for each in moves if isinstance(each, BiasMove))
            decision.biases = tuple(move for move in own if move not in given)
            given.update(own)
        if not refused:
            return
