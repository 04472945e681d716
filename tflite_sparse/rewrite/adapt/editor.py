"""Edits the graph of a subgraph: new constants, values and operators; what nothing reads is swept.

Operators keep their order; tensors that the caller sees keep their index, name and buffer.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.macs import macs
from tflite_sparse.model.uses import Use, trace_constant
from tflite_sparse.rewrite.adapt.adaptation import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Buffer, Operator, Subgraph, Tensor

    Said = tuple[str, str, str] | None

Fact = TypeVar("Fact")
Part = TypeVar("Part", "Operator", "Tensor")

__all__ = ["Editor", "constant_of", "has_own_options", "remembered"]

# Operators that do nothing but compute their outputs: unread, they can go.
_PURE = frozenset(
    {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE",
        "DIV", "HARD_SWISH", "LOGISTIC", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "PAD", "PRELU",
        "RELU", "RELU6", "RESHAPE", "SUB",
    }
)  # fmt: skip
_OPTIONS = {
    "ADD": "AddOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
    "HARD_SWISH": "HardSwishOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "RESHAPE": "ReshapeOptions",
    "REVERSE_V2": "ReverseV2Options",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
}
_NUMBERS = {"FLOAT32": np.float32, "INT32": np.int32}


def remembered(function: Callable[[Part], Fact]) -> Callable[[Part], Fact]:
    """Remembers what a function says of an operator or tensor, until the subgraph is edited."""

    @wraps(function)
    def ask(about: Part) -> Fact:
        memo, key = about.subgraph.memo, (function.__qualname__, id(about))
        if key not in memo:
            memo[key] = function(about)
        found: Fact = memo[key]
        return found

    return ask


def constant_of(operator: Operator, operand: int) -> NDArray[Any] | None:
    """The value of an operand that is constant, as it is stored: fp32, fp16 or integers.

    A dense constant or one behind DEQUANTIZE; None for anything else.
    """
    if operand >= len(operator.inputs):
        return None
    use = trace_constant(operator, operand)
    if use is None or use.densify is not None or use.constant.sparsity is not None:
        return None
    return use.constant.data


class Editor:
    """Edits a subgraph.

    Attributes:
        subgraph: the subgraph.
        model: its model.
        steps: what was done, see `noted`.
    """

    def __init__(self, subgraph: Subgraph) -> None:
        self.subgraph = subgraph
        self.model = subgraph.model
        self._names = {tensor.name for tensor in subgraph.tensors}
        self._idle = {id(op) for op in subgraph.operators if not self._is_read(op)}
        self._unused = {id(tensor) for tensor in self._loose()}
        self._empty = next((b for b in self.model.buffers if b.nbytes == 0), None)
        self._remade: dict[tuple[int, str], Tensor] = {}
        self._dropped: dict[int, Operator] = {}
        self._labels = {id(op): op.label for op in subgraph.operators}
        self._added: list[Operator] = []
        self._added_bytes = 0
        self.steps: list[Step] = []

    def constant(self, values: Any, name: str) -> Tensor:
        """A new constant of fp32 or int32."""
        array = np.asarray(values)
        array = array.astype(np.int32 if array.dtype.kind in "iu" else np.float32)
        kind = "INT32" if array.dtype == np.int32 else "FLOAT32"
        self._added_bytes += array.nbytes
        return self._tensor(array.shape, kind, name, self.model.add_buffer(array))

    def value(self, shape: Sequence[int], like: Tensor, name: str) -> Tensor:
        """A new value with the type of another; a dynamic batch stays one."""
        if self._empty is None:
            self._empty = self.model.add_buffer()
        tensor = self._tensor(tuple(shape), like.type, name, self._empty)
        signature = like.shape_signature
        if signature and shape and signature[0] == -1:
            tensor.table["shape_signature"] = np.array([-1, *shape[1:]], np.int32)
        return tensor

    def before(
        self,
        place: Operator | None,
        kind: str,
        inputs: Sequence[Tensor | None],
        outputs: Sequence[Tensor],
        **options: Any,
    ) -> Operator:
        """Adds an operator before another one, or at the end.

        Args:
            place: the operator that it comes before; None for the end.
            kind: its name, such as "PAD".
            inputs: what it reads.
            outputs: what it writes.
            **options: fields of its option table; enum values by name.
        """
        position = len(self.subgraph.operators) if place is None else place.index
        code = self.model.operator_code(kind)
        operator = self.subgraph.add_operator(position, code, inputs, outputs)
        self._added.append(operator)
        if kind in _OPTIONS:
            table = Table(_OPTIONS[kind])
            for name, value in options.items():
                set_option(table, name, value)
            operator.table["builtin_options"] = table
        return operator

    def after(self, place: Operator) -> Operator | None:
        """The operator that comes after another; None for the last."""
        following = self.subgraph.operators[place.index + 1 :]
        return following[0] if following else None

    def set_options(self, operator: Operator, **options: Any) -> None:
        """Changes fields of an operator's option table; enum values by name."""
        table = operator.options
        if table is None:
            table = Table(_OPTIONS[operator.name])
            operator.table["builtin_options"] = table
        for name, value in options.items():
            set_option(table, name, value)
        self.subgraph.memo.clear()

    def drop(self, *operators: Operator) -> None:
        """Removes operators; their outputs must have other producers, or no readers."""
        # Held, so that no other operator gets the id of one that went.
        self._dropped.update((id(operator), operator) for operator in operators)
        self.subgraph.remove(operators)

    def is_gone(self, operator: Operator) -> bool:
        """Whether an operator was dropped."""
        return id(operator) in self._dropped

    def read(self, operator: Operator, operand: int, tensor: Tensor | None) -> None:
        """Makes an operator read another tensor at an operand."""
        if operand < len(operator.inputs):
            self.subgraph.rewire(Use(operator, operand), tensor)
            return
        missing = [None] * (operand - len(operator.inputs))
        self.set_inputs(operator, [*operator.inputs, *missing, tensor])

    def set_inputs(self, operator: Operator, inputs: Sequence[Tensor | None]) -> None:
        """Gives an operator other inputs."""
        operator.inputs = tuple(inputs)
        self.subgraph.relink()

    def write(self, operator: Operator, output: int, tensor: Tensor) -> None:
        """Makes an operator write another tensor."""
        outputs = list(operator.outputs)
        outputs[output] = tensor
        operator.outputs = tuple(outputs)
        self.subgraph.relink()

    def split(self, tensor: Tensor, suffix: str, readers: Iterable[Operator]) -> Tensor:
        """Gives a value's producer a new output, which some of its readers read from then on.

        The value itself, which the others and the caller keep, is then without a producer.
        """
        producer = self.subgraph.producer(tensor)
        assert producer is not None  # noqa: S101 - only computed values are split
        made = self.value(tensor.shape, tensor, f"{tensor.name}{suffix}")
        chosen = {id(reader) for reader in readers}
        for use in list(self.subgraph.consumers(tensor)):
            if id(use.operator) in chosen:
                self.read(use.operator, use.operand, made)
        self.write(producer, producer.outputs.index(tensor), made)
        return made

    def set_weight(
        self, operator: Operator, operand: int, change: Callable[[Any], Any], key: str
    ) -> None:
        """Makes an operator read a changed copy of a constant, in the type that it is stored in.

        Args:
            operator: the operator.
            operand: position among its inputs.
            change: makes the new values of the stored ones.
            key: what it does; operators that change a shared constant alike share the copy.
        """
        use = trace_constant(operator, operand)
        assert use is not None  # noqa: S101 - asked for with `constant_of`
        constant, read = use.constant, operator.inputs[operand]
        assert read is not None  # noqa: S101 - as above
        known = self._remade.get((id(constant), key))
        if known is None:
            stored = constant.data
            values = np.ascontiguousarray(change(stored))
            name = f"{constant.name}/{key}"
            made = self._tensor(values.shape, constant.type, name, self.model.add_buffer(values))
            known = made
            self._added_bytes += values.nbytes - (0 if stored is None else stored.nbytes)
            if use.dequantize is not None:
                known = self.value(values.shape, read, f"{read.name}/{key}")
                known.table["shape_signature"] = None
                twin = self.subgraph.add_operator(
                    operator.index, use.dequantize.code, [made], [known]
                )
                if use.dequantize.options is not None:
                    twin.table["builtin_options"] = use.dequantize.options
            self._remade[id(constant), key] = known
        self.read(operator, operand, known)

    def label(self, operator: Operator) -> str:
        """What an operator was called in the model as it was."""
        return self._labels.get(id(operator), operator.label)

    def record(self, label: str, what: str, why: str) -> None:
        """Notes a change of spelling that costs nothing."""
        self.steps.append(Step(self.subgraph.index, "spelling", label, what, why, 0, 0))

    def noted(self, operator: Operator, change: Callable[[], Said]) -> None:
        """Makes a change that an operator asks for, and notes what it was and what it costs."""
        label, before = self.label(operator), macs(operator)
        self._added, self._added_bytes = [], 0
        said = change()
        if said is None:
            return
        gone = self.is_gone(operator)
        work = sum(macs(op) for op in self._added if not self.is_gone(op)) - before
        work += 0 if gone else macs(operator)
        name, what, why = said
        step = Step(self.subgraph.index, name, label, what, why, work, self._added_bytes)
        self.steps.append(step)

    def sweep(self) -> tuple[int, int]:
        """Removes operators and constants that nothing reads any more; what was idle before stays.

        Returns:
            The number of operators and of tensors that went.
        """
        operators = 0
        while dead := [
            op
            for op in self.subgraph.operators
            if op.name in _PURE and id(op) not in self._idle and not self._is_read(op)
        ]:
            self.subgraph.remove(dead)
            operators += len(dead)
        tensors = [t for t in self._loose() if id(t) not in self._unused]
        buffers = {id(t.buffer): t.buffer for t in tensors}
        self.subgraph.remove(tensors=tensors)
        used = {id(t.buffer) for graph in self.model.subgraphs for t in graph.tensors}
        used |= {id(entry.buffer) for entry in self.model.metadata}
        for key, buffer in buffers.items():
            if key not in used:
                buffer.clear()
        return operators, len(tensors)

    def _is_read(self, operator: Operator) -> bool:
        outputs = {id(tensor) for tensor in self.subgraph.outputs}
        return any(
            id(tensor) in outputs or self.subgraph.consumers(tensor) for tensor in operator.outputs
        )

    def _loose(self) -> list[Tensor]:
        held = {id(t) for t in (*self.subgraph.inputs, *self.subgraph.outputs)}
        for op in self.subgraph.operators:
            held.update(id(t) for t in (*op.inputs, *op.outputs, *op.intermediates) if t)
        for signature in self.model.signatures:
            held.update(id(t) for _, t in (*signature.inputs, *signature.outputs))
        return [tensor for tensor in self.subgraph.tensors if id(tensor) not in held]

    def _tensor(self, shape: tuple[int, ...], kind: str, name: str, buffer: Buffer) -> Tensor:
        table = Table("Tensor")
        table["shape"] = np.array(shape, np.int32)
        table.set_enum("type", kind)
        table["has_rank"] = True
        table["name"] = self._unused_name(name)
        return self.subgraph.add_tensor(table, buffer)

    def _unused_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name


def has_own_options(operator: Operator) -> bool:
    """Whether an operator whose options are edited here has none, or those of its kind."""
    table, kind = operator.options, _OPTIONS.get(operator.name)
    return table is None or kind is None or table.name == kind


def set_option(table: Table, name: str, value: Any) -> None:
    """Sets a field of an option table; an enum value by its name."""
    if table.definition.by_name[name].enum and isinstance(value, str):
        table.set_enum(name, value)
    else:
        table[name] = value
