"""What a comparison of two models says."""

from __future__ import annotations

from tflite_sparse.records import Count, Record
from tflite_sparse.words.numbers import count_of, size

__all__ = ["BlobDiff", "KindDiff", "ModelDiff", "Side", "WeightDiff"]

_SHOWN = 6
# Rounding makes a few values zero too.
_PRUNED = 0.01


class Side(Record, frozen=True):
    """A constant in one of the models.

    Attributes:
        name: name of the tensor.
        type: element type.
        shape: dense shape.
        storage: how it is stored, such as "dense" or "CSR on dimension 3".
        zeros: number of zeros; None where its values cannot be read as numbers.
        elements: number of values.
        bytes: bytes that the file spends on it.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    storage: str
    zeros: Count | None
    elements: Count
    bytes: Count


class WeightDiff(Record, frozen=True):
    """A constant that operators read, in both models or in one.

    Attributes:
        subgraph: index of the subgraph.
        operator: kind of the operator that reads it.
        operand: position among the operator's inputs.
        before: what it is in the first model, None where it is not there.
        after: what it is in the second model, None where it is not there.
        equal: whether both hold the same values; -0.0 is 0.0.
        differing: how many values differ; None where shapes or types do.
        largest: the largest difference of two values; None where it is not known.
    """

    subgraph: Count
    operator: str
    operand: Count
    before: Side | None
    after: Side | None
    equal: bool
    differing: Count | None
    largest: float | None

    @property
    def same_storage(self) -> bool:
        """Whether it is there in both models and stored alike."""
        a, b = self.before, self.after
        return a is not None and b is not None and (a.storage, a.bytes) == (b.storage, b.bytes)

    @property
    def zeroed(self) -> int:
        """How many more values are zero in the second model; 0 where that is next to nothing."""
        a, b = self.before, self.after
        if self.equal or a is None or b is None or a.zeros is None or b.zeros is None:
            return 0
        more = b.zeros - a.zeros
        return more if a.elements == b.elements and more > _PRUNED * a.elements else 0


class KindDiff(Record, frozen=True):
    """How many operators of a kind and version there are.

    Attributes:
        name: the kind.
        version: the version.
        before: number in the first model.
        after: number in the second.
    """

    name: str
    version: Count
    before: Count
    after: Count


class BlobDiff(Record, frozen=True):
    """An entry of the metadata that is not the same in both models.

    Attributes:
        name: its name.
        before: its size in bytes in the first model, None where it is not there.
        after: its size in the second.
    """

    name: str
    before: Count | None
    after: Count | None


class ModelDiff(Record, frozen=True):
    """What differs between two models.

    Attributes:
        before: name of the first.
        after: name of the second.
        equal: whether they mean the same: the same operators on the same values, whatever way the
            constants are stored and the tensors are named.
        size_before: bytes of the first file.
        size_after: bytes of the second.
        weights: constants that are stored or valued differently.
        same_weights: how many constants are the same in values and storage.
        operators: kinds of which the models have different numbers.
        graph: differences of the graphs in words: operators, options, edges, ends.
        signatures: differences of the signatures in words.
        metadata: entries of the metadata that differ.
        tensors_before: number of tensors of the first model.
        tensors_after: number of tensors of the second.
        appended_equal: whether the same bytes are appended to both files.
        adapted: whether the second looks like the first after its graph was adapted: the same ends,
            and most weights the same; or the same graph with every constant the same but for the
            order of its values. Whether they compute the same, only running both tells.
        rounded: whether the second looks like the first with its weights rounded to fewer bits, its
            graph adapted or not.
    """

    before: str | None
    after: str | None
    equal: bool
    size_before: Count
    size_after: Count
    weights: tuple[WeightDiff, ...]
    same_weights: Count
    operators: tuple[KindDiff, ...]
    graph: tuple[str, ...]
    signatures: tuple[str, ...]
    metadata: tuple[BlobDiff, ...]
    tensors_before: Count
    tensors_after: Count
    appended_equal: bool
    adapted: bool = False
    rounded: bool = False

    @property
    def zeroed(self) -> int:
        """How many more values are zero in the second, in weights that both models have."""
        return sum(weight.zeroed for weight in self.weights)

    def __repr__(self) -> str:
        """A few lines: the whole is in the fields, and in `to_dict()`."""
        names = [name or "a model in memory" for name in (self.before, self.after)]
        means = "equal in meaning" if self.equal else "not equal in meaning"
        if self.adapted and not self.equal:
            means = "adapted, verify tells whether the numbers agree"
        sizes = f"{size(self.size_before)} to {size(self.size_after)}"
        lines = [
            f"<ModelDiff of {names[0]} and {names[1]}: {means}, {sizes}",
            f"  {count_of(len(self.weights), 'constant')} changed, {self.same_weights} the same",
            *(f"  {words}" for words in self.graph[:_SHOWN]),
        ]
        if len(self.graph) > _SHOWN:
            lines.append(f"  and {len(self.graph) - _SHOWN} more")
        return "\n".join(lines) + ">"
