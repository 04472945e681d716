"""What a rewrite did, as data."""

from __future__ import annotations

from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from tflite_sparse._dataclass import dataclass

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.adapt.adaptation import Adaptation
    from tflite_sparse.rewrite.writing.proof import Expected

__all__ = ["Left", "OperatorChange", "Rewrite", "WeightChange", "WeightId"]


@dataclass(frozen=True, slots=True)
class WeightId:
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


@dataclass(frozen=True, slots=True)
class WeightChange:
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


@dataclass(frozen=True, slots=True)
class Left:
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


@dataclass(frozen=True, slots=True)
class OperatorChange:
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


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The model after a rewrite, and what was done.

    Attributes:
        model: the model, edited in place; weights are computed when it is written.
        kind: "sparsify", "densify" or "adapt".
        weights: weights that are stored otherwise now, in the order in which operators read them.
        left: weights that were left alone.
        operators: what changed among the operators.
        notes: what else there is to know, one sentence each.
        min_runtime_version: (before, after) where the metadata of that name was raised.
        expected: what the changed tensors must hold when they are written, for `save`.
        adaptation: what `adapt` did, or why it did nothing; None for other rewrites.
    """

    model: Model
    kind: str
    weights: tuple[WeightChange, ...]
    left: tuple[Left, ...]
    operators: tuple[OperatorChange, ...] = ()
    notes: tuple[str, ...] = field(default=())
    min_runtime_version: tuple[str, str] | None = None
    expected: tuple[Expected, ...] = field(default=(), repr=False)
    adaptation: Adaptation | None = None

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
            "operators": [
                {**asdict(change), "versions": [list(v) for v in change.versions]}
                for change in self.operators
            ],
            "notes": list(self.notes),
            "min_runtime_version": (
                None
                if self.min_runtime_version is None
                else dict(zip(("before", "after"), self.min_runtime_version, strict=True))
            ),
            "adaptation": None if self.adaptation is None else self.adaptation.to_dict(),
        }


def _flat(entry: WeightChange | Left) -> dict[str, Any]:
    fields = asdict(entry)
    weight = fields.pop("weight")
    weight["shape"] = list(weight["shape"])
    weight["operators"] = list(weight["operators"])
    return {**weight, **fields}
