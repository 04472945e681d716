"""What a rewrite did, as data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tflite_sparse.model import Model
from tflite_sparse.records import Record
from tflite_sparse.rewrite.adapt.adaptation import Adaptation
from tflite_sparse.rewrite.writing.proof import Expected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = [
    "Baseline",
    "Left",
    "OperatorChange",
    "Rewrite",
    "WeightChange",
    "WeightId",
    "joined",
    "version_changes",
]


class WeightId(Record, frozen=True):
    """Which weight.

    Attributes:
        subgraph: index of its subgraph; of the first one where several share it.
        tensor: index of the tensor that the file stores.
        name: the tensor's name.
        type: its element type, such as "FLOAT16".
        shape: its dense shape.
        operators: labels of the operators that read it, such as "CONV_2D #4".
        shared: how many tensors share the data.
    """

    subgraph: int
    tensor: int
    name: str
    type: str
    shape: tuple[int, ...]
    operators: tuple[str, ...]
    shared: int = 1


class WeightChange(Record, frozen=True):
    """A weight that is stored otherwise now.

    Attributes:
        weight: which one.
        elements: number of values of the dense weight.
        zeros: how many of them are zero.
        zeroed: how many of those were not zero before, see `SparsifyOptions.zero_below`.
        before: how it was stored, such as "dense".
        after: how it is stored now.
        bytes_before: bytes that the file spent on it.
        bytes_after: bytes that it spends now, tables, DENSIFY and its tensor included.
        note: what else there is to know, or None.
    """

    weight: WeightId
    elements: int
    zeros: int
    zeroed: int
    before: str
    after: str
    bytes_before: int
    bytes_after: int
    note: str | None = None


class Left(Record, frozen=True):
    """A weight that was left as it is.

    Attributes:
        weight: which one.
        zeros: how many of its values are zero; None where nobody counted.
        elements: number of values of the dense weight.
        stored: how it is stored.
        bytes: bytes that the file spends on it.
        code: short name of the reason, for programs.
        reason: why, in words.
    """

    weight: WeightId
    zeros: int | None
    elements: int
    stored: str
    bytes: int
    code: str
    reason: str


class OperatorChange(Record, frozen=True):
    """Operators of one kind that were added, removed or changed.

    Attributes:
        name: the kind, such as "DENSIFY".
        added: how many are new.
        removed: how many are gone.
        versions: changes of version as (before, after, number of operators).
    """

    name: str
    added: int = 0
    removed: int = 0
    versions: tuple[tuple[int, int, int], ...] = ()


class Baseline(NamedTuple):
    """What the runtime does with a model before a rewrite; afterwards it must do no worse.

    Attributes:
        forecasts: what comes of each subgraph.
        zeros: the zeros of weights after the rewrite, as far as they are known, so that nobody has
            to count them again.
    """

    forecasts: tuple[Forecast, ...]
    zeros: ZeroCounts


class Rewrite(msgspec.Struct, frozen=True):
    """The model after a rewrite, and what was done.

    Attributes:
        model: the model after the rewrite; weights are computed when it is written.
        kind: name of the pass, such as "sparsify".
        weights: weights that are stored otherwise now, in the order in which operators read them.
        left: weights that were left alone.
        operators: what changed among the operators.
        notes: what else there is to know, one sentence each.
        min_runtime_version: (before, after) where the metadata of that name was raised.
        expected: what the changed tensors must hold when they are written, for `save`.
        adaptation: what `adapt` did, or why it did nothing; None for other rewrites.
        baseline: what the runtime did with the model before; None where nobody asked.
    """

    model: Model
    kind: str
    weights: tuple[WeightChange, ...]
    left: tuple[Left, ...]
    operators: tuple[OperatorChange, ...] = ()
    notes: tuple[str, ...] = ()
    min_runtime_version: tuple[str, str] | None = None
    expected: tuple[Expected, ...] = ()
    adaptation: Adaptation | None = None
    baseline: Baseline | None = None

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        adapted = self.adaptation is not None and self.adaptation.done
        return bool(self.weights or self.operators or adapted)

    @property
    def bytes_before(self) -> int:
        """Bytes that the changed weights took."""
        return sum(change.bytes_before for change in self.weights)

    @property
    def bytes_after(self) -> int:
        """Bytes that they take now."""
        return sum(change.bytes_after for change in self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the model itself, in plain types."""
        return {
            "kind": self.kind,
            "changed": self.changed,
            "weights": [_flat(change) for change in self.weights],
            "left": [_flat(left) for left in self.left],
            "operators": [change.to_dict() for change in self.operators],
            "notes": list(self.notes),
            "min_runtime_version": (
                None
                if self.min_runtime_version is None
                else dict(zip(("before", "after"), self.min_runtime_version, strict=True))
            ),
            "adaptation": None if self.adaptation is None else self.adaptation.to_dict(),
        }


def joined(first: Rewrite, second: Rewrite) -> Rewrite:
    """What two rewrites did, the second of them to the result of the first.

    The kind is that of the first.
    """
    versions = [
        raised for rewrite in (first, second) if (raised := rewrite.min_runtime_version) is not None
    ]
    return Rewrite(
        second.model,
        first.kind,
        (*first.weights, *second.weights),
        (*first.left, *second.left),
        _joined_operators(*first.operators, *second.operators),
        (*first.notes, *second.notes),
        (versions[0][0], versions[-1][1]) if versions else None,
        (*first.expected, *second.expected),
        first.adaptation if second.adaptation is None else second.adaptation,
    )


def version_changes(
    name: str, versions: Mapping[tuple[int, int], int]
) -> tuple[OperatorChange, ...]:
    """The change of some operators of a kind that got other versions; () where none did.

    Args:
        name: the kind.
        versions: version before and after -> number of operators.
    """
    moved = tuple((before, after, n) for (before, after), n in sorted(versions.items()))
    return (OperatorChange(name, versions=moved),) if moved else ()


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


def _flat(entry: WeightChange | Left) -> dict[str, Any]:
    fields = entry.to_dict()
    return {**fields.pop("weight"), **fields}
