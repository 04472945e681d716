"""What `sparsify` would make of the weights of a model, beside what they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.encoding import encode
from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.inspection.weights.weight_facts import Examined, examine, problem_of
from tflite_sparse.model.weights import Weight, find_weights
from tflite_sparse.storage.candidates import examine as consider
from tflite_sparse.storage.decision import Candidate, Decision
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.model.zero_counts import ZeroCounts

__all__ = [
    "WeightData",
    "consider_data",
    "encoded_arrays",
    "facts_of",
    "group_by_data",
    "settle_all",
]

# Weights that are sparse already are asked about too.
_OPTIONS = SparsifyOptions(reencode=True)

# Reasons beside which the size of the encoding is worth telling.
_OF_SIZE = frozenset({"not-smaller", "saves-too-little", "too-few-zeros"})

_MALFORMED = Refusal("malformed", "another weight of the model is malformed")


class WeightData(msgspec.Struct, eq=False):
    """Data that can only be stored otherwise as one, and all that is known of them.

    Attributes:
        weight: the data with everything that refers to them.
        views: the weights that operators read in them, by their places in the model's list.
        examined: what was found, one a view.
        decision: what `sparsify` decides; None where the values cannot be read.
    """

    weight: Weight
    views: list[tuple[int, Weight]]
    examined: list[Examined] = msgspec.field(default_factory=list)
    decision: Decision | None = None

    @property
    def is_malformed(self) -> bool:
        """Whether they are stored sparse, and nobody can read them."""
        return self.decision is None and self.weight.tensor.sparsity is not None


def group_by_data(model: Model, weights: Sequence[Weight]) -> list[WeightData]:
    """The data of a model's weights, with the weights that lie in each.

    Args:
        model: the model.
        weights: what `find_weights` finds in it.
    """
    groups = [WeightData(weight, []) for weight in find_weights(model, by_bytes=True)]
    home: dict[Tensor, WeightData] = {t: group for group in groups for t in group.weight.tensors}
    for number, weight in enumerate(weights):
        home[weight.tensor].views.append((number, weight))
    return groups


def consider_data(data: WeightData, zeros: ZeroCounts, *, near: float, shapes: bool) -> WeightData:
    """Looks at data once, for what they are and for what `sparsify` would make of them.

    Args:
        data: the data; what is found is added to them.
        zeros: counts zeros.
        near: bound of magnitude for near zeros.
        shapes: whether to count the fill of block shapes too.
    """
    data.examined = [examine(view, zeros, near=near, shapes=shapes) for _, view in data.views]
    if any(view.problem is not None for view in data.examined):
        return data
    values: NDArray[Any] | None = None
    nonzeros: int | None = None
    if len(data.examined) == 1 and data.examined[0].values is not None:
        values, facts = data.examined[0].values, data.examined[0].facts
        nonzeros = facts.elements - (facts.zeros or 0)
    try:
        data.decision = consider(data.weight, _OPTIONS, values=values, nonzeros=nonzeros)
    except (EncodingError, ModelError) as error:
        problem = problem_of(error)
        data.examined = [Examined(view.facts, None, problem) for view in data.examined]
    # A decoded weight is not kept.
    data.examined = [Examined(view.facts, None, view.problem) for view in data.examined]
    return data


def settle_all(model: Model, groups: Sequence[WeightData], zeros: ZeroCounts) -> None:
    """Refuses what `sparsify` refuses when it looks at all weights together.

    Raises:
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    # Loading the model of the runtime takes as long as counting a few weights.
    from tflite_sparse.storage.decide import settle

    decisions = [group.decision for group in groups if group.decision is not None]
    refusal = None
    if model.read_only is not None:
        refusal = Refusal("read-only", model.read_only)
    elif any(group.is_malformed for group in groups):
        refusal = _MALFORMED
    try:
        if refusal is None:
            settle(model, _OPTIONS, decisions, zeros)
    except (EncodingError, ModelError):
        refusal = _MALFORMED
        raise
    finally:
        for decision in decisions:
            if refusal is not None and decision.candidate is not None:
                decision.refuse(refusal)


def facts_of(groups: Sequence[WeightData]) -> tuple[WeightFacts, ...]:
    """What is known of the weights of a model, in the order in which they were found."""
    facts = {
        number: _with_decision(examined.facts, group.decision)
        for group in groups
        for (number, _), examined in zip(group.views, group.examined, strict=True)
    }
    return tuple(facts[number] for number in sorted(facts))


def _with_decision(facts: WeightFacts, decision: Decision | None) -> WeightFacts:
    """What is known of a weight, with what becomes of it."""
    if decision is None:
        return facts
    outcome = decision.outcome
    taken = isinstance(outcome, Candidate)
    encoded = decision.encoded
    if isinstance(outcome, Candidate):
        code = reason = None
    else:
        code, reason = outcome
        encoded = encoded if code in _OF_SIZE else None
    return msgspec.structs.replace(
        facts,
        bytes_sparse=None if encoded is None else encoded.bytes,
        best_encoding=None if encoded is None else encoded.layout,
        smaller=taken,
        cannot=reason,
        cannot_code=code,
    )


def encoded_arrays(candidate: Candidate) -> list[NDArray[Any]]:
    """What would be stored: values, then segments and indices of each sparse level."""
    encoded = encode(candidate.source(), candidate.storage.layout)
    levels = (array for level in encoded.levels for array in (level.segments, level.indices))
    return [encoded.values, *(array for array in levels if array is not None)]
