"""Passes over a model that run one after the other, and what they did together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.changes import OperatorChange, Rewrite
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.writing.runtime_version import VersionRaise

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["Sequence", "joined"]


class Sequence(ModelPass):
    """Passes that run one after the other, each on the result of the one before.

    The model that a sequence is given stays as it is.
    """

    in_place = False

    def __init__(self, *passes: ModelPass) -> None:
        self.passes = passes

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
    return Rewrite(
        second.model,
        first.kind,
        (*first.weights, *second.weights),
        (*first.left, *second.left),
        _joined_operators(*first.operators, *second.operators),
        (*first.notes, *second.notes),
        _joined_raises(first.min_runtime_version, second.min_runtime_version),
        (*first.expected, *second.expected),
        first.adaptation if second.adaptation is None else second.adaptation,
    )


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
