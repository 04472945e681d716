"""How TFLite cuts the operators into runs that the delegate takes and runs that it does not.

Source: tflite/graph_info.cc, PartitionGraphIntoIndependentNodeSubsets.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model import Operator

if TYPE_CHECKING:
    from collections.abc import Collection

    from tflite_sparse.model import Subgraph

__all__ = ["Run", "runs"]


class Run(msgspec.Struct, frozen=True):
    """Operators of one kind that can run one after the other.

    Attributes:
        delegated: whether the delegate takes them.
        operators: the operators in the order of execution.
        inputs: indices of tensors that they read and that are made elsewhere.
        outputs: indices of tensors that they make and that are read elsewhere.
    """

    delegated: bool
    operators: tuple[Operator, ...]
    inputs: frozenset[int]
    outputs: frozenset[int]


def runs(subgraph: Subgraph, delegated: Collection[int]) -> tuple[Run, ...]:
    """Cuts a subgraph into runs.

    The first operator that is ready decides the kind of a run; it grows as long as any operator of
    its kind is ready, even where operators of the other kind come first in the file. Operators on
    resources and those that run other subgraphs keep their order.

    Args:
        subgraph: the subgraph.
        delegated: indices of the operators that the delegate takes.
    """
    writers = {t.index: op.index for op in subgraph.operators for t in op.outputs}
    waiting: dict[int, set[int]] = {}
    readers: dict[int, list[int]] = {}
    ready: dict[bool, list[int]] = {True: [], False: []}
    effects: set[int] = set()
    for op in subgraph.operators:
        needs = {writers[t.index] for t in op.inputs if t is not None and t.index in writers}
        needs.discard(op.index)
        if _has_effects(op):
            needs |= effects
            effects = {op.index}
        waiting[op.index] = needs
        for need in needs:
            readers.setdefault(need, []).append(op.index)
        if not needs:
            ready[op.index in delegated].append(op.index)
    for queue in ready.values():
        heapq.heapify(queue)
    groups: list[tuple[bool, list[int]]] = []
    while ready[True] or ready[False]:
        kind = min((queue[0], kind) for kind, queue in ready.items() if queue)[1]
        members: list[int] = []
        while ready[kind]:
            index = heapq.heappop(ready[kind])
            members.append(index)
            for reader in readers.get(index, ()):
                waiting[reader].discard(index)
                if not waiting[reader]:
                    heapq.heappush(ready[reader in delegated], reader)
        groups.append((kind, members))
    return tuple(_run(subgraph, kind, members) for kind, members in groups)


def _has_effects(op: Operator) -> bool:
    # Source: tflite/core/subgraph.cc, OpMightHaveSideEffect.
    tensors = (*op.inputs, *op.outputs)
    resource = any(tensor is not None and tensor.type == "RESOURCE" for tensor in tensors)
    return resource or op.name in ("IF", "WHILE", "CALL_ONCE")


def _run(subgraph: Subgraph, delegated: bool, members: list[int]) -> Run:
    operators = tuple(subgraph.operators[index] for index in members)
    inside = set(members)
    written = {t.index for op in operators for t in op.outputs}
    read = {t.index for op in operators for t in op.inputs if t is not None}
    results = {t.index for t in subgraph.outputs}
    outputs = {
        t.index
        for op in operators
        for t in op.outputs
        if t.index in results
        or any(use.operator.index not in inside for use in subgraph.consumers(t))
    }
    return Run(delegated, operators, frozenset(read - written), frozenset(outputs))
