"""Cuts the main subgraph into parts that run one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Model, Operator, Subgraph, Tensor

__all__ = ["live_tensors", "part_of"]


def live_tensors(graph: Subgraph, position: int) -> list[Tensor]:
    """What the operators from a position on read of what was there before it.

    Constants, and what is computed from constants alone, count for nothing: every part has its own.

    Args:
        graph: the subgraph.
        position: index of the first operator behind the cut.
    """
    constant = _from_constants(graph)
    before = {tensor for op in graph.operators[:position] for tensor in op.outputs}
    before |= set(graph.inputs)
    read = [tensor for op in graph.operators[position:] for tensor in op.inputs]
    wanted = dict.fromkeys(tensor for tensor in (*read, *graph.outputs) if tensor is not None)
    return [tensor for tensor in wanted if tensor in before and tensor not in constant]


def part_of(model: Model, first: int, last: int, outputs: Sequence[int]) -> tuple[bytes, list[int]]:
    """A model of some of the operators.

    Args:
        model: the model; it stays as it is.
        first: index of the first operator.
        last: index behind the last operator.
        outputs: indices of the tensors that it gives.

    Returns:
        The model, and the indices of the tensors that it reads, in the order of its inputs.
    """
    part = model.copy()
    graph = part.main
    inputs = [t for t in live_tensors(graph, first) if _is_read(graph, t, first, last)]
    constant = _from_constants(graph)
    operators = [
        op
        for op in graph.operators
        if first <= op.index < last or (op.outputs and all(t in constant for t in op.outputs))
    ]
    graph.operators = operators
    for index, op in enumerate(operators):
        op.index = index
    graph.inputs = tuple(inputs)
    graph.outputs = tuple(graph.tensors[index] for index in outputs)
    graph.relink()
    graph.edited = True
    part.signatures = []
    part.table["signature_defs"] = None
    _drop_unread(part, operators)
    return part.to_bytes(), [tensor.index for tensor in inputs]


def _is_read(graph: Subgraph, tensor: Tensor, first: int, last: int) -> bool:
    return any(tensor in op.inputs for op in graph.operators[first:last])


def _from_constants(graph: Subgraph) -> set[Tensor]:
    """What operators compute from constants alone."""
    given: set[Tensor] = set()
    for op in graph.operators:
        read = [tensor for tensor in op.inputs if tensor is not None]
        if read and all(t in given or (t.is_constant and not t.is_variable) for t in read):
            given |= set(op.outputs)
    return given


def _drop_unread(part: Model, operators: Sequence[Operator]) -> None:
    """Empties what no operator of the part reads, so that it is no larger than it must be."""
    read = {tensor.buffer for op in operators for tensor in op.inputs if tensor is not None}
    read |= {
        tensor.buffer
        for graph in part.subgraphs
        if graph is not part.main
        for tensor in graph.tensors
    }
    for tensor in part.main.tensors:
        if tensor.is_constant and tensor.buffer not in read:
            tensor.buffer.clear()
