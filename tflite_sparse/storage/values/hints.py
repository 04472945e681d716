"""Keeps a sparse weight where something runs sparse, so that XNNPACK still looks for zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import of_each_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.model import Model, Subgraph, Tensor
    from tflite_sparse.storage.values.decide import ValuesDecision
    from tflite_sparse.xnnpack.plan_types import HintSource

__all__ = ["keep_hints"]


def keep_hints(model: Model, decisions: Sequence[ValuesDecision]) -> None:
    """Lets one weight of a partition that runs sparse stay so where all would be smaller dense.

    Args:
        model: the model as it is.
        decisions: about its weights.
    """
    by_tensor = {tensor: each for each in decisions for tensor in each.weight.tensors}
    for hints in _hints(model):
        # Others, such as constants that are no weights, stay as they are.
        held = [by_tensor[tensor] for tensor in hints if tensor in by_tensor]
        if len(held) < len(hints) or any(decision.sparse for decision in held):
            continue
        _keep_one(held)


def _keep_one(held: Sequence[ValuesDecision]) -> None:
    best = min(held, key=lambda decision: decision.loss)
    if best.sparse_bytes is not None and best.sparse_bytes < best.bytes_before:
        best.choose(sparse=True)
    else:
        best.refuse(Refusal("hint", "it is what makes XNNPACK look for zeros"))


def _hints(model: Model) -> Iterator[list[Tensor]]:
    """The sparse constants of each partition in which something runs sparse by them."""
    zeros = ZeroCounts()
    for target in of_each_runtime():
        for subgraph in model.subgraphs:
            planned = plan(subgraph, target, zeros=zeros)
            sparse = {index for c in planned.clusters if c.sparse for index in c.members}
            for partition in planned.partitions:
                if partition.hints and not sparse.isdisjoint(partition.operators):
                    tensors = (_constant(subgraph, hint) for hint in partition.hints)
                    yield list(dict.fromkeys(tensors))


def _constant(subgraph: Subgraph, hint: HintSource) -> Tensor:
    """The constant that the file stores of what sets the hint."""
    use = trace_constant(subgraph.operators[hint.operator], hint.operand)
    return subgraph.tensors[hint.tensor] if use is None else use.constant
