"""A subgraph: its tensors and operators, who produces a tensor and who consumes it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import ModelError, Place
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.operator import Operator
from tflite_sparse.model.tensor import Tensor
from tflite_sparse.model.uses import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from tflite_sparse.model.model import Model
    from tflite_sparse.model.tensor import Buffer

__all__ = ["Subgraph"]

_ABSENT = -1


class Subgraph:
    """A subgraph of a model.

    Tensors and operators know each other as objects; the indices that the file stores are made
    from them when the model is written.

    Attributes:
        model: the model that it belongs to.
        table: the SubGraph table.
        index: position among the model's subgraphs; 0 is the main one.
        tensors: all tensors, in the order of the file.
        operators: all operators, in the order of execution.
        inputs: the tensors that the caller sets.
        outputs: the tensors that the caller gets.
        numbered: the tensors in the order to which the numbers in the tables refer.
        memo: facts computed from the graph, by a name and what they are about;
            forgotten with every edit.
    """

    def __init__(self, table: Table, model: Model, index: int) -> None:
        self.table = table
        self.model = model
        self.index = index
        self._linked: tuple[dict[Tensor, list[Use]], dict[Tensor, list[Operator]]] | None = None
        self.memo: dict[tuple[str, object], Any] = {}
        self.edited = False
        self.tensors = [
            Tensor(t, self, i, self._buffer(t, i)) for i, t in enumerate(table["tensors"] or [])
        ]
        self.inputs = self._refer(table["inputs"], "an input of the subgraph")
        self.outputs = self._refer(table["outputs"], "an output of the subgraph")
        self.operators = [self._operator(t, i) for i, t in enumerate(table["operators"] or [])]
        self.numbered = tuple(self.tensors)
        self._next_number = len(self.tensors)

    def __repr__(self) -> str:
        return f"<Subgraph {self.index} {self.name!r}: {len(self.operators)} operators>"

    @property
    def name(self) -> str:
        """The name, "" where it has none."""
        return self.table["name"] or ""

    @property
    def interface(self) -> frozenset[Tensor]:
        """The tensors that the caller sees: inputs and outputs, its own and those of signatures."""
        pairs = (
            pair
            for signature in self.model.signatures
            if signature.subgraph is self
            for pair in (*signature.inputs, *signature.outputs)
        )
        return frozenset((*self.inputs, *self.outputs, *(tensor for _, tensor in pairs)))

    @property
    def is_renumbered(self) -> bool:
        """Whether a tensor of which the tables have the number has another one now, or is gone."""
        return self.numbered != tuple(self.tensors[: len(self.numbered)])

    def tensor(self, name: str) -> Tensor:
        """The first tensor of a name.

        Raises:
            ModelError: there is none.
        """
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise ModelError(f"no tensor is called {name!r}", place=self._place())

    def producer(self, tensor: Tensor) -> Operator | None:
        """The operator that writes the tensor, None for inputs and constants."""
        writers = self._links()[1].get(tensor)
        return writers[0] if writers else None

    def consumers(self, tensor: Tensor) -> list[Use]:
        """Every place where an operator reads the tensor, in the order of execution."""
        return self._links()[0].get(tensor, [])

    def add_tensor(self, table: Table, buffer: Buffer) -> Tensor:
        """Adds a tensor after the last one; its buffer index is set."""
        table["buffer"] = buffer.index
        tensor = Tensor(table, self, len(self.tensors), buffer)
        tensor.number = self._next_number
        self._next_number += 1
        self.tensors.append(tensor)
        self.edited = True
        return tensor

    def add_operator(
        self, position: int, code: Table, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor]
    ) -> Operator:
        """Adds an operator without options before the one at `position`.

        Args:
            position: place in the order of execution.
            code: an operator code of the model, see `Model.operator_code`.
            inputs: what it reads.
            outputs: what it writes.
        """
        operator = Operator(Table("Operator"), code, self, position, tuple(inputs), tuple(outputs))
        self.operators.insert(position, operator)
        for index in range(position, len(self.operators)):
            self.operators[index].index = index
        self._touch()
        if self._linked is not None:
            for operand, tensor in enumerate(operator.inputs):
                self._link(Use(operator, operand), tensor)
            for tensor in operator.outputs:
                self._linked[1].setdefault(tensor, []).append(operator)
        return operator

    def rewire(self, use: Use, tensor: Tensor | None) -> None:
        """Makes an operator read another tensor at one of its operands."""
        inputs = list(use.operator.inputs)
        before, inputs[use.operand] = inputs[use.operand], tensor
        use.operator.inputs = tuple(inputs)
        self._touch()
        if self._linked is not None:
            if before is not None:
                kept = [u for u in self.consumers(before) if u != use]
                self._linked[0][before] = kept
            self._link(use, tensor)

    def reread(self, operator: Operator, inputs: Sequence[Tensor | None]) -> None:
        """Gives an operator other inputs."""
        if self._linked is not None:
            self._unlink_uses({operator})
        operator.inputs = tuple(inputs)
        for operand, tensor in enumerate(operator.inputs):
            self._link(Use(operator, operand), tensor)
        self._touch()

    def relink(self) -> None:
        """Works out uses and producers anew after an operator was given other operands."""
        self._linked = None
        self._touch()

    def remove(self, operators: Iterable[Operator] = (), tensors: Iterable[Tensor] = ()) -> None:
        """Removes operators and tensors that nothing refers to any more.

        Raises:
            ModelError: a tensor is still read, written, or an input or output.
        """
        gone = set(operators)
        self.operators = [operator for operator in self.operators if operator not in gone]
        dropped = set(tensors)
        if dropped:
            self._drop(dropped)
        for index, operator in enumerate(self.operators):
            operator.index = index
        if self._linked is not None:
            self._unlink(gone)
        self._touch()

    def commit(self, code_index: dict[Table, int]) -> None:
        """Writes the indices of an edited subgraph back into its tables.

        Args:
            code_index: operator code -> its index in the model.
        """
        if not self.edited:
            return
        self.numbered = tuple(self.tensors)
        self.table["tensors"] = [tensor.table for tensor in self.tensors]
        self.table["operators"] = [operator.table for operator in self.operators]
        self.table["inputs"] = _indices(self.inputs)
        self.table["outputs"] = _indices(self.outputs)
        for operator in self.operators:
            table = operator.table
            table["opcode_index"] = code_index[operator.code]
            table["inputs"] = _indices(operator.inputs)
            table["outputs"] = _indices(operator.outputs)
            if operator.intermediates:
                table["intermediates"] = _indices(operator.intermediates)
        self.edited = False

    def number_as(self, other: Subgraph) -> None:
        """Calls tensors by the numbers of another subgraph with the same tensors."""
        self._next_number = other._next_number
        for tensor, same in zip(self.tensors, other.tensors, strict=True):
            tensor.number = same.number

    def _touch(self) -> None:
        """Forgets what held before an edit."""
        self.memo.clear()
        self.edited = True

    def _drop(self, dropped: AbstractSet[Tensor]) -> None:
        held = [t for op in self.operators for t in (op.inputs, op.outputs, op.intermediates)]
        for tensor in itertools.chain(*held, self.inputs, self.outputs):
            if tensor is not None and tensor in dropped:
                raise ModelError("the tensor is still in use", place=tensor.place)
        self.tensors = [tensor for tensor in self.tensors if tensor not in dropped]
        for index, tensor in enumerate(self.tensors):
            tensor.index = index

    def _unlink(self, gone: AbstractSet[Operator]) -> None:
        """Takes operators that were removed out of the links."""
        self._unlink_uses(gone)
        writers = self._links()[1]
        for tensor in {tensor for operator in gone for tensor in operator.outputs}:
            left = [operator for operator in writers.get(tensor, ()) if operator not in gone]
            writers[tensor] = sorted(left, key=lambda operator: operator.index)

    def _unlink_uses(self, readers: AbstractSet[Operator]) -> None:
        uses = self._links()[0]
        for tensor in {tensor for operator in readers for tensor in operator.inputs}:
            if tensor is not None and tensor in uses:
                # A new list: a caller may be iterating over the old one.
                uses[tensor] = [use for use in uses[tensor] if use.operator not in readers]

    def _link(self, use: Use, tensor: Tensor | None) -> None:
        """Adds a use to the links, in its place in the order of execution."""
        if self._linked is None or tensor is None:
            return
        # A new list: a caller may be iterating over the old one.
        uses = [*self.consumers(tensor), use]
        uses.sort(key=lambda u: (u.operator.index, u.operand))
        self._linked[0][tensor] = uses

    def _links(self) -> tuple[dict[Tensor, list[Use]], dict[Tensor, list[Operator]]]:
        """Uses and producers by the tensor, made once between edits."""
        if self._linked is None:
            uses: dict[Tensor, list[Use]] = {}
            producers: dict[Tensor, list[Operator]] = {}
            for operator in self.operators:
                for operand, tensor in enumerate(operator.inputs):
                    if tensor is not None:
                        uses.setdefault(tensor, []).append(Use(operator, operand))
                for tensor in operator.outputs:
                    producers.setdefault(tensor, []).append(operator)
            self._linked = uses, producers
        return self._linked

    def _buffer(self, table: Table, index: int) -> Buffer:
        buffers = self.model.buffers
        number = int(table["buffer"])
        if number == 0 and not buffers:
            # Buffer 0 means no data, and the runtime does not look for it.
            return self.model.no_data
        if number >= len(buffers):
            raise ModelError(
                f"refers to buffer {number}, the model has {len(buffers)}",
                place=self._place(tensor=f"{index} {table['name']!r}", offset=table.offset),
            )
        return buffers[number]

    def _operator(self, table: Table, index: int) -> Operator:
        codes = self.model.operator_codes
        number = table["opcode_index"]
        where = f"operator {index}"
        if number >= len(codes):
            raise ModelError(
                f"refers to operator code {number}, the model has {len(codes)}",
                place=self._place(operator=str(index), offset=table.offset),
            )
        return Operator(
            table,
            codes[number],
            self,
            index,
            self._optional(table["inputs"], f"an input of {where}"),
            self._refer(table["outputs"], f"an output of {where}"),
            self._refer(table["intermediates"], f"an intermediate tensor of {where}"),
        )

    def _optional(self, numbers: Any, what: str) -> tuple[Tensor | None, ...]:
        if numbers is None:
            return ()
        return tuple(
            None if number == _ABSENT else self._tensor(number, what) for number in numbers.tolist()
        )

    def _refer(self, numbers: Any, what: str) -> tuple[Tensor, ...]:
        if numbers is None:
            return ()
        return tuple(self._tensor(number, what) for number in numbers.tolist())

    def _tensor(self, number: int, what: str) -> Tensor:
        if not 0 <= number < len(self.tensors):
            raise ModelError(
                f"{what} is tensor {number}, the subgraph has {len(self.tensors)}",
                place=self._place(offset=self.table.offset),
            )
        return self.tensors[number]

    def _place(self, **where: Any) -> Place:
        return Place(file=self.model.name, subgraph=str(self.index), **where)


def _indices(tensors: Sequence[Tensor | None]) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.array([_ABSENT if t is None else t.index for t in tensors], np.int32)
