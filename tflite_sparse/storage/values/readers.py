"""Which operators can read a weight behind DEQUANTIZE, and where its output channels are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.xnnpack.forecast import delegated
from tflite_sparse.xnnpack.releases.targets import of_each_runtime

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator, Use
    from tflite_sparse.model.weights import Weight

__all__ = ["FILTERS", "HALVES", "Filter", "Takers", "filter_of", "reader_refusal"]

HALVES = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
"""Operators to which XNNPACK gives an fp16 filter as it is, so that their bias must be fp16 too.

LiteRT 2.3 takes fp32 ones with it, LiteRT.js 2.5 does not; neither takes an fp16 bias with a filter
of fp32. Source: tflite/delegates/xnnpack/xnnpack_delegate.cc, CheckFilterAndBiasTypes.
"""


class Filter(msgspec.Struct, frozen=True):
    """The weight of an operator.

    Attributes:
        operand: its position among the inputs.
        axis: its dimension of output channels.
        bias: position of the bias.
    """

    operand: int
    axis: int
    bias: int


FILTERS = {
    "CONV_2D": Filter(1, 0, 2),
    "DEPTHWISE_CONV_2D": Filter(1, 3, 2),
    "FULLY_CONNECTED": Filter(1, 0, 2),
    "TRANSPOSE_CONV": Filter(1, 0, 3),
}
"""By the kind of operator. Run on LiteRT with XNNPACK and without (tests/end_to_end/values)."""


def filter_of(operator: Operator) -> Filter | None:
    """Where an operator has its weight; None for one whose weights keep their numbers."""
    return FILTERS.get(operator.name)


def reader_refusal(weight: Weight) -> Refusal | None:
    """Why a weight must keep its numbers because of what reads it, or None."""
    if not weight.uses:
        return Refusal("unread", "nothing reads it")
    for use in weight.uses:
        why = _use_refusal(use)
        if why is not None:
            return Refusal("reader", why)
    return None


def _use_refusal(use: Use) -> str | None:
    operator = use.operator
    name = operator.custom_code or operator.name
    place = filter_of(operator)
    if place is None or use.operand != place.operand:
        return f"whether {name} can read operand {use.operand} behind DEQUANTIZE is not proved"
    constant = use.constant
    if place.axis >= len(constant.shape):
        return f"{name} reads it as a filter, for which it has too few dimensions"
    if constant.sparsity is not None and use.densify is None:
        return f"{name} reads it without DENSIFY"
    computes = operator.outputs[0].type if operator.outputs else ""
    if computes != "FLOAT32":
        return f"{name} computes in {computes or 'nothing'}, not in fp32"
    return None


class Takers:
    """Which operators XNNPACK takes, on every release of the runtime that is modelled.

    Args:
        model: the model as it is.
    """

    def __init__(self, model: Model) -> None:
        self._targets = of_each_runtime()
        self._sets = {
            subgraph: [delegated(subgraph, target) for target in self._targets]
            for subgraph in model.subgraphs
        }

    def mixed(self, weight: Weight) -> bool:
        """Whether a release takes some of a weight's readers and leaves others to TFLite."""
        return any(
            len({operator.index in sets[number] for operator, sets in self._readers(weight)}) > 1
            for number in range(len(self._targets))
        )

    def all_of(self, weight: Weight) -> bool:
        """Whether every reader of a weight is taken by every release."""
        return all(
            operator.index in members
            for operator, sets in self._readers(weight)
            for members in sets
        )

    def _readers(self, weight: Weight) -> list[tuple[Operator, list[frozenset[int]]]]:
        return [(operator, self._sets[operator.subgraph]) for operator in weight.readers]
