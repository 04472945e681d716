"""Keeps a sparse weight in every partition that has one, so that XNNPACK still looks for zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.xnnpack.assumptions import NO_ASSUMPTIONS
from tflite_sparse.xnnpack.releases.targets import RUNTIMES
from tflite_sparse.xnnpack.stages.delegate.delegate import delegate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.storage.values.decide import ValuesDecision

__all__ = ["keep_hints"]


def keep_hints(model: Model, decisions: Sequence[ValuesDecision]) -> None:
    """Lets one weight stay sparse in a partition whose weights would all be smaller dense.

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
    """The sparse constants that operators of each partition read, for every release."""
    for runtime in RUNTIMES:
        for subgraph in model.subgraphs:
            delegation = delegate(subgraph, runtime, NO_ASSUMPTIONS)
            for run in delegation.partitions:
                hints = [
                    delegation.origins.get(hint.tensor, subgraph.tensors[hint.tensor])
                    for hint in delegation.hints(run)
                ]
                if hints:
                    yield list(dict.fromkeys(hints))
