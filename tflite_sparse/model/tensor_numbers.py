"""Numbers of tensors that a file keeps beside its graph: they follow when tensors come and go.

Where they cannot follow, they are dropped or the edit is refused: by numbers that lead to other
tensors a runtime would read garbage.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from tflite_sparse.errors import Place, RewriteError
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.subgraph import Subgraph
from tflite_sparse.model.tensor import Buffer, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model.model import Model
    from tflite_sparse.model.operator import Operator

__all__ = ["OfflinePlan", "drop_stale_plan", "look_up_buffers", "renumber"]

_PLAN = "OfflineMemoryAllocation"
_PLAN_HEADER = 3
_AT_RUN_TIME = -1
_COMPRESSION = "COMPRESSION_METADATA"
_DAMAGED = (IndexError, ValueError, struct.error)


class _Touched(NamedTuple):
    """The planned tensors that an operator reads and writes."""

    reads: frozenset[Tensor]
    writes: frozenset[Tensor]


class OfflinePlan(msgspec.Struct, frozen=True, eq=False):
    """Where tensors lie in the memory of TFLite Micro, as a compiler has planned it.

    Source: tflite-micro, docs/memory_management.md and micro_allocation_info.cc: version, subgraph,
    number of tensors, and the offset of each or -1; the runtime refuses another number of them.

    Attributes:
        header: version and subgraph, as they are stored.
        scope: the subgraphs whose tensors are counted, one after the other.
        offsets: the offsets of tensors that have one, in bytes.
        shapes: type and shape of these tensors.
        order: the operators that touch them, in the order of execution, by their tables.
    """

    header: tuple[int, int]
    scope: tuple[Subgraph, ...]
    offsets: dict[Tensor, int]
    shapes: dict[Tensor, object]
    order: dict[Table, _Touched]

    @classmethod
    def of(cls, model: Model) -> OfflinePlan | None:
        """The plan of a model; None where there is none, or one that the runtime would refuse."""
        buffer = next((e.buffer for e in model.metadata if e.name == _PLAN), None)
        if buffer is None or buffer.nbytes % 4 or buffer.nbytes < 4 * _PLAN_HEADER:
            return None
        version, index, count, *offsets = buffer.data.view("<i4").tolist()
        scopes = [tuple(model.subgraphs), tuple(model.subgraphs[index : index + 1])]
        for scope in scopes:
            tensors = [tensor for subgraph in scope for tensor in subgraph.tensors]
            if len(tensors) == count == len(offsets):
                planned = dict(zip(tensors, offsets, strict=True))
                planned = {t: at for t, at in planned.items() if at != _AT_RUN_TIME}
                shapes: dict[Tensor, object] = {t: _form(t) for t in planned}
                order = dict(_touching(scope, planned))
                return cls((version, index), scope, planned, shapes, order)
        return None

    @property
    def is_stale(self) -> bool:
        """Whether tensors live longer than planned, at another time, or have another size."""
        now = dict(_touching(self.scope, self.offsets))
        if any(_form(tensor) != form for tensor, form in self.shapes.items()):
            return True
        for table, touched in now.items():
            before = self.order.get(table)
            if before is None or not (
                touched.reads <= before.reads and touched.writes <= before.writes
            ):
                return True
        return [table for table in self.order if table in now] != list(now)

    @property
    def data(self) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """The plan as it is stored, for the tensors that there are now."""
        tensors = [tensor for subgraph in self.scope for tensor in subgraph.tensors]
        offsets = [self.offsets.get(tensor, _AT_RUN_TIME) for tensor in tensors]
        return np.array([*self.header, len(tensors), *offsets], "<i4")


def _form(tensor: Tensor) -> object:
    return tensor.type, tensor.shape, tensor.is_constant


def _touching(
    scope: tuple[Subgraph, ...], planned: dict[Tensor, int]
) -> Iterator[tuple[Table, _Touched]]:
    for subgraph in scope:
        for operator in subgraph.operators:
            touched = _Touched(
                frozenset(t for t in operator.inputs if t in planned),
                frozenset(t for t in operator.outputs if t in planned),
            )
            if any(touched):
                yield operator.table, touched


def drop_stale_plan(model: Model) -> str | None:
    """Drops a plan of memory that edits of the graph have made wrong.

    Returns:
        What was dropped and why, in words; None where nothing was.

    Raises:
        RewriteError: a custom operator may rely on it.
    """
    plan = model.offline_plan
    if plan is None or not plan.is_stale:
        return None
    relying: Operator | None = next((o for o in model.operators() if o.custom_code), None)
    if relying is not None:
        raise RewriteError(
            f"metadata {_PLAN} would be stale, and {relying.label} may rely on it",
            place=Place(file=model.name),
            hint="rewrite the model first and compile it for its accelerator afterwards",
        )
    model.drop_metadata(_PLAN)
    model.offline_plan = None
    return (
        f"metadata {_PLAN} is gone: it planned the memory of other operators;"
        " TFLite Micro plans it at run time, or compile the model again"
    )


def renumber(model: Model) -> None:
    """Makes numbers of tensors that stand beside the graph follow its edits.

    Raises:
        RewriteError: they cannot follow.
    """
    if not any(subgraph.edited for subgraph in model.subgraphs):
        return
    for subgraph in model.subgraphs:
        if subgraph.is_renumbered:
            _renumber_quantization(subgraph)
            _refuse_compressed(model, subgraph)
    drop_stale_plan(model)
    plan = model.offline_plan
    entry = next((e for e in model.metadata if e.name == _PLAN), None)
    if plan is not None and entry is not None:
        data = plan.data
        if data.tobytes() != entry.buffer.data.tobytes():
            entry.buffer.data = data


def _renumber_quantization(subgraph: Subgraph) -> None:
    """Scales and zero points of blockwise quantization are tensors of their own."""
    seen: set[int] = set()
    for tensor in subgraph.tensors:
        details = tensor.quantization and tensor.quantization["details"]
        if not details or id(details) in seen:
            continue
        seen.add(id(details))
        for name in ("scales", "zero_points"):
            number = details[name] if name in details.definition.by_name else -1
            if 0 <= number < len(subgraph.numbered):
                now = subgraph.numbered[number].index
                if number != now:
                    details[name] = now


class _LookUp(NamedTuple):
    """A tensor that TFLite Micro looks up in a table of values."""

    subgraph: int
    tensor: int
    buffer: int


def _look_ups(model: Model) -> list[_LookUp]:
    """The compressed tensors. Source: tflite-micro, compression/metadata.fbs.

    Raises:
        IndexError, ValueError, struct.error: the metadata are damaged.
    """
    from flatbuffers.table import Table as Flat

    data = next((e.buffer.data.tobytes() for e in model.metadata if e.name == _COMPRESSION), None)
    if not data:
        return []
    root = Flat(data, struct.unpack_from("<I", data)[0])
    return [
        _LookUp(index, _number(entry, 0, "<i"), _number(entry, 1, "<I"))
        for index, subgraph in enumerate(_tables(root, 1))
        for entry in _tables(subgraph, 0)
    ]


def _slot(table: Any, slot: int) -> int:
    offset: int = table.Offset(4 + 2 * slot)
    return offset


def _number(table: Any, slot: int, form: str) -> int:
    at = _slot(table, slot)
    if not at:
        return 0
    return int(struct.unpack_from(form, table.Bytes, table.Pos + at)[0])


def _tables(table: Any, slot: int) -> Iterator[Any]:
    at = _slot(table, slot)
    for index in range(table.VectorLen(at) if at else 0):
        place = table.Vector(at) + 4 * index
        yield type(table)(table.Bytes, table.Indirect(place))


def look_up_buffers(model: Model) -> set[Buffer]:
    """Buffers with the values of compressed tensors, which metadata alone refer to."""
    try:
        numbers = {entry.buffer for entry in _look_ups(model)}
    except _DAMAGED:
        # What they refer to, nobody can say.
        return set(model.buffers)
    return {buffer for buffer in model.buffers if buffer.index in numbers}


def _refuse_compressed(model: Model, subgraph: Subgraph) -> None:
    """Refuses other numbers for tensors that TFLite Micro finds by their numbers."""
    try:
        tensors = [e.tensor for e in _look_ups(model) if e.subgraph == subgraph.index]
        moved = any(subgraph.numbered[number].index != number for number in tensors)
    except _DAMAGED:
        moved = True
    if moved:
        raise RewriteError(
            f"tensors would get other numbers, by which metadata {_COMPRESSION} refers to them",
            place=Place(file=model.name),
            hint="compress the model for TFLite Micro after it was rewritten",
        )
