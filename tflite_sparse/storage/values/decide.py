"""Decides in which numbers the weights of a model are stored, and which stay sparse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.encoding import decode
from tflite_sparse.errors import ModelError
from tflite_sparse.model.sparse import encoding_of, weight_bytes
from tflite_sparse.model.weights import Weight, find_weights
from tflite_sparse.storage.encoding_words import encoding_words
from tflite_sparse.storage.refusals import Refusal, asked_refusal, structural_refusal
from tflite_sparse.storage.values.biases import BiasMove, let_biases_follow
from tflite_sparse.storage.values.calibration import moments_of
from tflite_sparse.storage.values.forms import Converted, convert, form_nbytes, unpacking_nbytes
from tflite_sparse.storage.values.hints import keep_hints
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.storage.values.readers import Takers, filter_of, reader_refusal
from tflite_sparse.storage.weight_id import WeightId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["ValuesDecision", "decide_values"]

_MIN_SNR = "--min-snr"

# The first depthwise filter of a net has a few hundred values, and is often the one whose rounding
# is felt most: 39 dB in EfficientNet-Lite0 and MediaPipe's pose landmarks, where others have 45 to
# 60. With it as fp32 the outputs of EfficientNet-Lite0 come nearer by 2 dB, at 864 bytes.
_SENSITIVE = 42.0
_LITTLE = 4096

_WIDER = {
    StoredValues.FP16: ("FLOAT32",),
    StoredValues.INT8: ("FLOAT32", "FLOAT16"),
}
"""Element types that the numbers are smaller than."""


class ValuesDecision(msgspec.Struct, eq=False):
    """What is known of a weight, and in which numbers it is to be stored.

    Attributes:
        weight: the weight.
        id: what people call it.
        stored: how it is stored now.
        bytes_before: bytes that it takes now, with what unpacks it.
        outcome: its other numbers, or why it keeps those that it has.
        sparse: whether it will be stored sparse.
        bytes_after: bytes that it will take.
        sparse_bytes: bytes that it would take sparse in its other numbers; None where it cannot.
        biases: biases that must follow it, of those that several filters share the first one's.
    """

    weight: Weight
    id: WeightId
    stored: str
    bytes_before: int
    outcome: Converted | Refusal
    sparse: bool = False
    bytes_after: int = 0
    sparse_bytes: int | None = None
    biases: tuple[BiasMove, ...] = ()

    @property
    def converted(self) -> Converted | None:
        """Its other numbers; None where it keeps those that it has."""
        return self.outcome if isinstance(self.outcome, Converted) else None

    @property
    def changes(self) -> bool:
        """Whether it is stored in other numbers."""
        return self.converted is not None

    @property
    def is_sparse(self) -> bool:
        """Whether the model holds it sparse."""
        return self.weight.tensor.sparsity is not None

    @property
    def saving(self) -> int:
        """Bytes that are saved, with the biases that follow."""
        return self.bytes_before - self.bytes_after - sum(move.grows for move in self.biases)

    @property
    def loss(self) -> int:
        """Bytes that a weight takes more where it stays sparse, in either numbers."""
        kept = self.bytes_before if self.sparse_bytes is None else self.sparse_bytes
        return min(kept, self.bytes_before) - self.bytes_after

    def refuse(self, refusal: Refusal) -> None:
        """Lets the weight keep its numbers."""
        self.outcome, self.sparse, self.biases = refusal, self.is_sparse, ()

    def choose(self, *, sparse: bool) -> None:
        """Settles whether it is stored sparse."""
        converted = self.converted
        assert converted is not None  # noqa: S101 - nothing to choose otherwise
        self.sparse = sparse
        self.bytes_after = form_nbytes(self.weight, converted, sparse=sparse)


def decide_values(
    model: Model,
    options: ValuesOptions,
    storage: SparsifyOptions,
    measured: Mapping[Operator, Moments] | None = None,
) -> list[ValuesDecision]:
    """Decides about every weight of a model, which is only looked at.

    A weight is stored in other numbers where it gets smaller by it. One that is sparse stays so
    where that is smaller still, and XNNPACK takes all that read it; of the sparse weights of a
    partition that runs sparse one always does, as they make the runtime look for zeros.

    Args:
        model: the model.
        options: the numbers.
        storage: which weights, how sparse ones are encoded, and how much each must save.
        measured: moments of what the filters of operators read, to which int8 values are fitted.

    Raises:
        EncodingError: a sparse encoding is malformed.
    """
    takers = Takers(model)
    decisions = [
        _examine(weight, options, storage, takers, moments_of(weight, measured or {}))
        for weight in find_weights(model, by_bytes=True)
    ]
    keep_hints(model, decisions)
    # A filter that keeps its numbers may have been what others shared a bias with.
    refused = True
    while refused:
        let_biases_follow(model, decisions, options.values)
        refused = False
        for decision in decisions:
            refusal = None if decision.converted is None else _saves_too_little(decision, storage)
            if refusal is not None:
                decision.refuse(refusal)
                refused = True
    return decisions


def _examine(
    weight: Weight,
    options: ValuesOptions,
    storage: SparsifyOptions,
    takers: Takers,
    moments: Moments | None,
) -> ValuesDecision:
    encoding = None if weight.tensor.sparsity is None else encoding_of(weight.tensor)
    decision = ValuesDecision(
        weight=weight,
        id=WeightId.of(weight),
        stored="dense" if encoding is None else encoding_words(encoding),
        bytes_before=weight_bytes(weight) + unpacking_nbytes(weight),
        outcome=Refusal("fp32", "nothing else was asked for (--values)"),
        sparse=encoding is not None,
    )
    if options.values is StoredValues.FP32:
        return decision
    refusal = _refusal(weight, options, storage, takers)
    if refusal is not None:
        decision.refuse(refusal)
        return decision
    # The values are taken from the file now, before the tensor is said to hold others.
    before: Callable[[], NDArray[Any]]
    before = partial(_same, _dense(weight)) if encoding is None else partial(decode, encoding)
    place = filter_of(weight.uses[0].operator)
    axis = 0 if place is None else place.axis
    converted = convert(before, axis, options, storage, moments)
    weight.tensor.subgraph.model.passed(weight.tensor.dense_nbytes or 0)
    if converted is None:
        decision.refuse(Refusal("range", f"it has values that {options.values} has not"))
        return decision
    snr = converted.rounding.snr
    if snr is not None and snr < options.min_snr:
        decision.refuse(Refusal("snr", f"rounding changes it more than asked for ({_MIN_SNR})"))
        return decision
    decision.outcome = converted
    decision.choose(sparse=False)
    if encoding is not None and converted.sparse is not None:
        decision.bytes_before += converted.sparse.cost.structure * len(weight.tensors)
        if takers.all_of(weight):
            decision.sparse_bytes = form_nbytes(weight, converted, sparse=True)
            decision.choose(sparse=decision.sparse_bytes < decision.bytes_after)
    return decision


def _refusal(
    weight: Weight, options: ValuesOptions, storage: SparsifyOptions, takers: Takers
) -> Refusal | None:
    """Why a weight keeps its numbers, whatever these are."""
    kind = weight.tensor.type
    if StoredValues.of(kind) is options.values:
        return Refusal("values-already", f"stored as {options.values} already")
    if kind not in _WIDER[options.values]:
        return Refusal("type", f"{kind} is not stored as {options.values}")
    refusal = asked_refusal(weight, storage) or structural_refusal(weight) or reader_refusal(weight)
    if refusal is None and takers.mixed(weight):
        text = "XNNPACK takes only some of the operators that read it"
        refusal = Refusal("reader", text)
    return refusal


def _dense(weight: Weight) -> NDArray[Any]:
    data = weight.tensor.data
    if data is None:
        raise ModelError("the tensor has no data", place=weight.tensor.place)
    return data


def _same(values: NDArray[Any]) -> NDArray[Any]:
    return values


def _saves_too_little(decision: ValuesDecision, storage: SparsifyOptions) -> Refusal | None:
    if decision.saving < 1:
        return Refusal("not-smaller", "it would not shrink")
    least = max(storage.min_saving, storage.min_ratio * decision.bytes_before)
    if decision.saving < least:
        return Refusal("saves-too-little", "saves less than asked for (--min-saving)")
    snr = None if decision.converted is None else decision.converted.rounding.output_snr
    if snr is not None and snr < _SENSITIVE and decision.saving < _LITTLE:
        text = "on the data, rounding changes what it computes much, and would save little"
        return Refusal("sensitive", text)
    return None
