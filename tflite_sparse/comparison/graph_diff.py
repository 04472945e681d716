"""Compares two subgraphs operator by operator, and the constants that aligned operators read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.comparison.alignment import aligned
from tflite_sparse.comparison.diff_types import Side, WeightDiff
from tflite_sparse.comparison.value_diff import compare_values
from tflite_sparse.flatbuffer.byte_code import without_offset
from tflite_sparse.model.sparse import decoded, encoding_of, stored_bytes
from tflite_sparse.model.uses import uses_of
from tflite_sparse.model.zero_counts import count
from tflite_sparse.storage.encoding_words import encoding_words
from tflite_sparse.storage.values.unpacked import dequantizes, fp32_source
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.flatbuffer.table import Table
    from tflite_sparse.model import Operator, Subgraph, Tensor

__all__ = ["GraphComparison"]


class GraphComparison:
    """Two subgraphs side by side.

    Args:
        before: the first.
        after: the second.

    Attributes:
        differences: what differs but for the values of constants, in words.
        weights: every constant that operators read, paired where the operators are.
    """

    def __init__(self, before: Subgraph, after: Subgraph) -> None:
        self.differences: list[str] = []
        self.weights: list[WeightDiff] = []
        self._where = f"subgraph {before.index}: " if len(before.model.subgraphs) > 1 else ""
        self._index = before.index
        # Which value stands for which; constants stand for each other when they are compared.
        self._twins: dict[Tensor, Tensor] = {}
        self._seen: dict[tuple[Tensor, Tensor], bool] = {}
        first, second = _operators(before), _operators(after)
        self._pair_ends("input", before.inputs, after.inputs)
        for a, b in aligned(first, second):
            if a is None or b is None:
                self._unpaired(a, b)
            else:
                self._pair(a, b)
        outputs = [_stored(t) for t in before.outputs], [_stored(t) for t in after.outputs]
        self._check_ends("output", *outputs)

    def _say(self, text: str) -> None:
        self.differences.append(self._where + text)

    def _pair_ends(self, what: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
        if len(first) != len(second):
            self._say(f"{len(first)} {what}s, now {len(second)}")
        for number, (a, b) in enumerate(zip(first, second, strict=False)):
            self._twins.setdefault(a, b)
            self._compare_tensors(f"{what} {number}", a, b)

    def _check_ends(self, what: str, first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
        if len(first) != len(second):
            self._say(f"{len(first)} {what}s, now {len(second)}")
        for number, (a, b) in enumerate(zip(first, second, strict=False)):
            if not self._stands_for(a, b):
                self._say(f"{what} {number} is another value")
            self._compare_tensors(f"{what} {number}", a, b)

    def _unpaired(self, a: Operator | None, b: Operator | None) -> None:
        if a is not None:
            self._say(f"{readable(a.label)} is gone")
        if b is not None:
            self._say(f"{readable(b.label)} is new")
        for operator, gone in ((a, True), (b, False)):
            for operand, tensor in _constants(operator):
                side = _side(tensor)
                self.weights.append(
                    WeightDiff(
                        subgraph=self._index,
                        operator=readable(operator.custom_code or operator.name),  # type: ignore[union-attr]
                        operand=operand,
                        before=side if gone else None,
                        after=None if gone else side,
                        equal=False,
                        differing=None,
                        largest=None,
                    )
                )

    def _pair(self, a: Operator, b: Operator) -> None:
        label = readable(a.label)
        if not _same_options(a, b):
            self._say(f"{label} has other options")
        if len(a.inputs) != len(b.inputs) or len(a.outputs) != len(b.outputs):
            self._say(f"{label} has another number of inputs or outputs")
        for operand, (x, y) in enumerate(zip(a.inputs, b.inputs, strict=False)):
            self._pair_operands(a, operand, x, y)
        for number, (x, y) in enumerate(zip(a.outputs, b.outputs, strict=False)):
            self._twins[x] = y
            self._compare_tensors(f"output {number} of {label}", x, y)

    def _pair_operands(self, a: Operator, operand: int, x: Tensor | None, y: Tensor | None) -> None:
        label = f"input {operand} of {readable(a.label)}"
        if x is None or y is None:
            if x is not y:
                self._say(f"{label} is left out in one model")
            return
        first, second = _stored(x), _stored(y)
        if first.is_constant and second.is_constant:
            self._pair_constants(a, operand, first, second)
        elif first.is_constant != second.is_constant:
            self._say(f"{label} is a constant in one model only")
        elif (
            first not in self._twins
            and _comes_from_nowhere(first, second)
            and all(twin is not second for twin in self._twins.values())
        ):
            self._twins[first] = second
        elif not self._stands_for(first, second):
            self._say(f"{label} is another value")

    def _stands_for(self, a: Tensor, b: Tensor) -> bool:
        if a.is_constant and b.is_constant:
            if (a, b) not in self._seen:
                self._seen[a, b] = _weight(self._index, "", 0, a, b).equal
            return self._seen[a, b]
        return self._twins.get(a) is b

    def _pair_constants(self, reader: Operator, operand: int, a: Tensor, b: Tensor) -> None:
        if (a, b) in self._seen:
            return
        name = readable(reader.custom_code or reader.name)
        weight = _weight(self._index, name, operand, a, b)
        self._seen[a, b] = weight.equal
        self.weights.append(weight)
        if not (_is_real(a) and _is_real(b)) and not _same_table(a.quantization, b.quantization):
            self._say(f"{readable(a.name)!r} is quantized otherwise")

    def _compare_tensors(self, what: str, a: Tensor, b: Tensor) -> None:
        if a.type != b.type:
            self._say(f"{what} is {b.type} instead of {a.type}")
        if (a.shape_signature or a.shape) != (b.shape_signature or b.shape):
            self._say(f"{what} has shape {list(b.shape)} instead of {list(a.shape)}")
        if not _same_table(a.quantization, b.quantization):
            self._say(f"{what} is quantized otherwise")


def _operators(subgraph: Subgraph) -> list[Operator]:
    """The operators but those that only unpack a constant."""
    return [op for op in subgraph.operators if not _unpacks(op)]


def _unpacks(operator: Operator) -> bool:
    if not operator.inputs or operator.inputs[0] is None or not operator.outputs:
        return False
    source = operator.inputs[0]
    if operator.name == "DENSIFY":
        return source.is_constant and source.sparsity is not None
    constant = _stored(source)
    return constant.is_constant and dequantizes(operator, constant)


def _stored(tensor: Tensor) -> Tensor:
    """The constant that is unpacked into this tensor, or the tensor itself."""
    producer = tensor.subgraph.producer(tensor)
    if producer is None or not _unpacks(producer) or producer.inputs[0] is None:
        return tensor
    return _stored(producer.inputs[0])


def _computes(constant: Tensor) -> str:
    """The type of a constant as the operators read it."""
    uses = (use for use in uses_of(constant) if use.dequantize is not None)
    return (
        "FLOAT32" if any(dequantizes(use.through[-1], constant) for use in uses) else constant.type
    )


def _is_real(constant: Tensor) -> bool:
    """Whether operators read a constant as a real number: then its scales are how it is stored."""
    return _computes(constant) == "FLOAT32"


def _value(constant: Tensor) -> NDArray[Any] | None:
    """The value of a constant as the operators read it."""
    return decoded(constant) if _computes(constant) == constant.type else fp32_source(constant)()


def _constants(operator: Operator | None) -> Iterator[tuple[int, Tensor]]:
    if operator is None:
        return
    for operand, tensor in enumerate(operator.inputs):
        stored = None if tensor is None else _stored(tensor)
        if stored is not None and stored.is_constant:
            yield operand, stored


def _weight(subgraph: int, operator: str, operand: int, a: Tensor, b: Tensor) -> WeightDiff:
    kind = _computes(a)
    same_kind = kind == _computes(b) and a.shape == b.shape
    x, y = _value(a), _value(b)
    if not same_kind:
        equal, differing, largest = False, None, None
    elif x is None or y is None:
        equal, differing, largest = bool(np.array_equal(a.buffer.data, b.buffer.data)), None, None
    else:
        equal, differing, largest = compare_values(x, y, kind)
    return WeightDiff(
        subgraph=subgraph,
        operator=operator,
        operand=operand,
        before=_side(a, x),
        after=_side(b, y),
        equal=equal,
        differing=differing,
        largest=largest,
    )


def _side(tensor: Tensor, values: Any = None) -> Side:
    values = _value(tensor) if values is None else values
    elements = 0 if values is None else int(values.size)
    storage = "dense"
    if tensor.sparsity is not None:
        storage = encoding_words(encoding_of(tensor))
    return Side(
        name=readable(tensor.name),
        type=tensor.type,
        shape=tensor.shape,
        storage=storage,
        zeros=None if values is None else count(values, _computes(tensor)).zeros,
        elements=elements,
        bytes=stored_bytes(tensor),
    )


def _same_options(a: Operator, b: Operator) -> bool:
    return _custom_options(a) == _custom_options(b) and _same_table(a.options, b.options)


def _custom_options(operator: Operator) -> object:
    """The options of a custom operator; the place of byte code in the file is none of them."""
    named = operator.subgraph.model.file.byte_code
    place = next((c for c in named if c.table is operator.table), None)
    return _bytes(operator.table["custom_options"]) if place is None else without_offset(place)


def _bytes(vector: Any) -> bytes:
    return b"" if vector is None else vector.tobytes()


def _same_table(a: Table | None, b: Table | None) -> bool:
    """Whether two tables say the same; a field that is left out says its default."""
    if a is None or b is None:
        # A table in which nothing is set says nothing.
        return a is b or not list(a or b or ())
    if a.name != b.name:
        return False
    return all(_same_value(a[field.name], b[field.name]) for field in a.definition.fields)


def _same_value(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _bytes(a) == _bytes(b)
    if isinstance(a, list) or isinstance(b, list):
        first, second = a or [], b or []
        return len(first) == len(second) and all(map(_same_value, first, second))
    if hasattr(a, "definition") or hasattr(b, "definition"):
        return _same_table(a, b)
    return bool(a == b)


def _comes_from_nowhere(a: Tensor, b: Tensor) -> bool:
    """Whether both are variables, or both values that nothing makes, as in a damaged model."""
    if a.is_variable or b.is_variable:
        return a.is_variable and b.is_variable
    return all(
        tensor.subgraph.producer(tensor) is None
        and all(tensor is not given for given in tensor.subgraph.inputs)
        for tensor in (a, b)
    )
