"""The weights that a rewrite may touch: a constant's data with all the tensors that share it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from tflite_sparse._dataclass import dataclass
from tflite_sparse.flatbuffer.external import external_range
from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.changes import WeightId
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Buffer, Model, Operator, Subgraph, Tensor

__all__ = ["Reading", "SharedWeight", "shared_weights"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where an operator reads a weight, through DENSIFY and DEQUANTIZE or directly.

    Attributes:
        operator: the operator.
        operand: position among its inputs.
        tensor: the constant that is read.
        through: kinds of the operators in between, in order.
    """

    operator: Operator
    operand: int
    tensor: Tensor
    through: tuple[str, ...] = ()


@dataclass(slots=True)
class SharedWeight:
    """A constant's data and everything that refers to it.

    Attributes:
        tensors: all tensors of all subgraphs with this data, in the order of the file.
        buffers: their buffers; several when those refer to the same bytes of the file.
        readings: where operators read it, in the order of execution.
        is_metadata: whether an entry of the metadata refers to it too.
        id: which weight it is, for people, by the operators of the model as it was read.
    """

    tensors: list[Tensor] = field(default_factory=list)
    buffers: list[Buffer] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    is_metadata: bool = False
    id: WeightId = field(default_factory=lambda: WeightId(0, 0, "", "", (), ()))

    @property
    def tensor(self) -> Tensor:
        """The first of the tensors."""
        return self.tensors[0]

    @property
    def readers(self) -> list[Operator]:
        """The operators that read it, each once."""
        return list({id(r.operator): r.operator for r in self.readings}.values())

    @property
    def alike(self) -> bool:
        """Whether all tensors agree in type and shape and in how they are stored."""
        first = self.tensor
        return all(
            (t.type, t.shape, t.sparsity is None)
            == (first.type, first.shape, first.sparsity is None)
            for t in self.tensors
        )

    def named(self) -> WeightId:
        """Which weight it is, for people, as the model is now."""
        first = self.tensor
        return WeightId(
            subgraph=first.subgraph.index,
            tensor=first.index,
            name=readable(first.name),
            type=first.type,
            shape=first.shape,
            operators=tuple(operator.label for operator in self.readers),
            shared=len(self.tensors),
        )


def shared_weights(model: Model) -> list[SharedWeight]:
    """The weights of a model (see `find_weights`), each data once, in the order of reading."""
    groups = _groups(model)
    found: dict[object, SharedWeight] = {}
    for weight in find_weights(model):
        key = _identity(weight.tensor.buffer)
        found.setdefault(key, groups[key])
    # What is stored sparse counts even if nothing reads it.
    for key, group in groups.items():
        if any(tensor.sparsity is not None for tensor in group.tensors):
            found.setdefault(key, group)
    for group in found.values():
        _complete(group)
    return list(found.values())


def _groups(model: Model) -> dict[object, SharedWeight]:
    """All constants by what identifies their data."""
    groups: dict[object, SharedWeight] = {}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.is_constant:
                groups.setdefault(_identity(tensor.buffer), SharedWeight()).tensors.append(tensor)
    for entry in model.metadata:
        key = _identity(entry.buffer)
        if key in groups:
            groups[key].is_metadata = True
    return groups


def _identity(buffer: Buffer) -> object:
    """What two buffers have in common that refer to the same bytes of the file."""
    where = external_range(buffer.table)
    if where is not None:
        return where
    location = buffer.table.location("data")
    return ("edited", id(buffer)) if location is None else location


def _complete(weight: SharedWeight) -> None:
    weight.buffers = list({id(t.buffer): t.buffer for t in weight.tensors}.values())
    for tensor in weight.tensors:
        weight.readings.extend(_readings(tensor.subgraph, tensor, tensor, ()))
    weight.id = weight.named()


def _readings(
    subgraph: Subgraph, constant: Tensor, tensor: Tensor, through: tuple[str, ...]
) -> Iterator[Reading]:
    for operator, operand in subgraph.consumers(tensor):
        between = operator.name in {"DENSIFY", "DEQUANTIZE"} and operator.name not in through
        if not between or not operator.outputs:
            yield Reading(operator, operand, constant, through)
            continue
        readers = list(
            _readings(subgraph, constant, operator.outputs[0], (*through, operator.name))
        )
        # Where nothing reads on, the operator itself is the reader.
        yield from readers or [Reading(operator, operand, constant, through)]
