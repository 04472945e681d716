"""What a rewrite did, as data."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Count, Record
from tflite_sparse.rewrite.adapt.adaptation import Adaptation
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import VersionRaise
from tflite_sparse.storage.values.rounding import Rounding
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = [
    "Baseline",
    "Changes",
    "Left",
    "OperatorChange",
    "Rewrite",
    "RewriteKind",
    "WeightChange",
    "version_changes",
]


class RewriteKind(str, Enum):
    """Names of the rewrites that have a command."""

    SPARSIFY = "sparsify"
    DENSIFY = "densify"
    ADAPT = "adapt"
    OPTIMIZE = "optimize"
    COMPRESS = "compress"

    def __str__(self) -> str:
        return self.value


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
        rounding: how its values changed where it is stored in other numbers now; None where they
            did not.
    """

    flat: ClassVar[tuple[str, ...]] = ("weight",)

    weight: WeightId
    elements: Count
    zeros: Count
    zeroed: Count
    before: str
    after: str
    bytes_before: Count
    bytes_after: Count
    note: str | None = None
    rounding: Rounding | None = None


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

    flat: ClassVar[tuple[str, ...]] = ("weight",)

    weight: WeightId
    zeros: Count | None
    elements: Count
    stored: str
    bytes: Count
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
    added: Count = 0
    removed: Count = 0
    versions: tuple[tuple[int, int, int], ...] = ()


class Changes(Record, frozen=True):
    """What a rewrite did, without the model.

    Attributes:
        kind: which rewrite.
        changed: whether anything is different now.
        weights: weights that are stored otherwise now, in the order in which operators read them.
        left: weights that were left alone.
        operators: what changed among the operators.
        notes: what else there is to know, one sentence each.
        min_runtime_version: where it was raised; null where it was not.
        adaptation: what `adapt` did, or why it did nothing; null for rewrites without it.
        input_shapes: the sizes that the runtime was asked about, or that were fixed; null where the
            model that was read leaves none open.
        fixed: whether the model has these sizes for good now.
    """

    kind: RewriteKind
    changed: bool
    weights: tuple[WeightChange, ...]
    left: tuple[Left, ...]
    operators: tuple[OperatorChange, ...]
    notes: tuple[str, ...]
    min_runtime_version: VersionRaise | None
    adaptation: Adaptation | None
    input_shapes: InputShapes | None = None
    fixed: bool = False


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
        min_runtime_version: where the metadata of that name was raised; None where it was not.
        expected: what the changed tensors must hold when they are written, for `save`.
        adaptation: what `adapt` did, or why it did nothing; None for other rewrites.
        baseline: what the runtime did with the model before; None where nobody asked.
        input_shapes: the sizes that the runtime was asked about, or that were fixed; None where the
            model leaves none open.
        fixed: whether the model has these sizes for good now.
    """

    model: Model
    kind: RewriteKind
    weights: tuple[WeightChange, ...] = ()
    left: tuple[Left, ...] = ()
    operators: tuple[OperatorChange, ...] = ()
    notes: tuple[str, ...] = ()
    min_runtime_version: VersionRaise | None = None
    expected: tuple[Expected, ...] = ()
    adaptation: Adaptation | None = None
    baseline: Baseline | None = None
    input_shapes: InputShapes | None = None
    fixed: bool = False

    def __repr__(self) -> str:
        """One line: the whole is in the fields."""
        stored, left = count_of(len(self.weights), "weight"), len(self.left)
        name = self.model.path or "a model in memory"
        return f"<Rewrite by {self.kind} of {name}: {stored} stored otherwise, {left} left>"

    @property
    def changed(self) -> bool:
        """Whether anything is different now."""
        adapted = self.adaptation is not None and self.adaptation.done
        return bool(self.weights or self.operators or adapted or self.fixed)

    @property
    def bytes_before(self) -> int:
        """Bytes that the changed weights took."""
        return sum(change.bytes_before for change in self.weights)

    @property
    def bytes_after(self) -> int:
        """Bytes that they take now."""
        return sum(change.bytes_after for change in self.weights)

    @property
    def changes(self) -> Changes:
        """Everything but the model itself."""
        return Changes(
            self.kind,
            self.changed,
            self.weights,
            self.left,
            self.operators,
            self.notes,
            self.min_runtime_version,
            self.adaptation,
            self.input_shapes,
            self.fixed,
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but the model itself, in plain types."""
        return self.changes.to_dict()


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
