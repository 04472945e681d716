"""Passes over a model that run one after the other, and what they did together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.rewrite.changes import Left, OperatorChange, Rewrite, WeightChange
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.writing.runtime_version import VersionRaise

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.storage.weight_id import WeightId

__all__ = ["Sequence", "joined"]


class Sequence(ModelPass):
    """Passes that run one after the other, each on the result of the one before.

    The model that a sequence is given stays as it is. Passes of a sequence within it are its own:
    they go on with the same tensors, by which it is known what these must hold.
    """

    in_place = False

    def __init__(self, *passes: ModelPass) -> None:
        self.passes: list[ModelPass] = []
        for step in passes:
            self.passes += step.passes if isinstance(step, Sequence) else [step]

    def requires(self, subject: Model) -> None:
        """Asks for nothing: every pass asks for itself."""

    def apply(self, model: Model) -> Rewrite:
        """Runs the passes and joins what they did."""
        result = Rewrite(model, self.name)
        for step in self.passes:
            if step.in_place and result.model is model:
                # It is the caller's.
                result = joined(result, Rewrite(model.copy(), self.name))
            result = joined(result, step.run(result.model))
        return result

    def ensures(self, subject: Model, result: Rewrite) -> None:
        """Promises nothing more than the passes did."""


def joined(first: Rewrite, second: Rewrite) -> Rewrite:
    """What two rewrites did, the second of them to the result of the first.

    The kind is that of the first.
    """
    changed_again = {item.tensor for item in second.expected}
    weights = _joined_weights(first.weights, second.weights)
    return Rewrite(
        second.model,
        first.kind,
        weights,
        _joined_left((*first.left, *second.left), weights),
        _joined_operators(*first.operators, *second.operators),
        (*first.notes, *second.notes),
        _joined_raises(first.min_runtime_version, second.min_runtime_version),
        (*(e for e in first.expected if e.tensor not in changed_again), *second.expected),
        first.adaptation if second.adaptation is None else second.adaptation,
    )


def _joined_weights(
    first: tuple[WeightChange, ...], second: tuple[WeightChange, ...]
) -> tuple[WeightChange, ...]:
    """One change of each weight, in the order in which they were first changed."""
    changes = {_place(change.weight): change for change in first}
    for change in second:
        before = changes.get(_place(change.weight))
        changes[_place(change.weight)] = (
            change if before is None else _joined_change(before, change)
        )
    return tuple(changes.values())


def _joined_change(first: WeightChange, second: WeightChange) -> WeightChange:
    return msgspec.structs.replace(
        second,
        weight=first.weight,
        zeroed=first.zeroed + second.zeroed,
        before=first.before,
        bytes_before=first.bytes_before,
        note=second.note or first.note,
        rounding=second.rounding or first.rounding,
    )


def _joined_left(left: tuple[Left, ...], changed: tuple[WeightChange, ...]) -> tuple[Left, ...]:
    """The weights that no pass changed, each once, with the reason of the last that looked."""
    places = {_place(change.weight) for change in changed}
    last = {_place(entry.weight): entry for entry in left}
    return tuple(entry for place, entry in last.items() if place not in places)


def _place(weight: WeightId) -> tuple[int, int]:
    return weight.subgraph, weight.tensor


def _joined_raises(first: VersionRaise | None, second: VersionRaise | None) -> VersionRaise | None:
    if first is None or second is None:
        return second or first
    return VersionRaise(first.before, second.after)


def _joined_operators(*changes: OperatorChange) -> tuple[OperatorChange, ...]:
    more: Counter[str] = Counter()
    versions: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for change in changes:
        more[change.name] += change.added - change.removed
        versions[change.name] = (*versions.get(change.name, ()), *change.versions)
    return tuple(
        OperatorChange(name, max(count, 0), max(-count, 0), versions[name])
        for name, count in more.items()
        if count or versions[name]
    )
