"""Stores weights sparse where that makes the file smaller and the runtime stays right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.sparse import sparsity_table
from tflite_sparse.rewrite.at_sizes import run_at_sizes
from tflite_sparse.rewrite.changes import (
    Baseline,
    Left,
    OperatorChange,
    Rewrite,
    RewriteKind,
    WeightChange,
    version_changes,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.unpacking import insert_densify
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import (
    DENSIFY_NEEDS,
    SPARSE_FC_NEEDS,
    raise_runtime_version,
)
from tflite_sparse.storage.decide import decide, tell_zeros
from tflite_sparse.storage.encoding_choice import deferred_encoding
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.storage.decision import Candidate, Decision

__all__ = ["Sparsify", "sparsify"]

_BLOCKS_NOTE = (
    "in which blocks a file stores zeros changes its size, not XNNPACK's speed: from where the"
    " zeros are it makes blocks of its own"
)


class Sparsify(ModelPass):
    """Stores weights sparse, see `sparsify`."""

    name = RewriteKind.SPARSIFY
    summary = "Store weights sparse where that makes the file smaller and the runtime stays right."

    def __init__(self, options: SparsifyOptions | None = None) -> None:
        self.options = options or SparsifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Examines every weight, refuses those that would do harm, and stores the others sparse."""
        decisions, base, counts, versions = decide(model, self.options)
        inserted = _store(model, decisions, counts)
        runtime = None
        if inserted or versions:
            runtime = raise_runtime_version(model, SPARSE_FC_NEEDS if versions else DENSIFY_NEEDS)
        densify = (OperatorChange("DENSIFY", added=inserted),) if inserted else ()
        stored = [(d, d.candidate) for d in decisions if d.candidate]
        return Rewrite(
            model=model,
            kind=self.name,
            weights=tuple(_change(decision, candidate) for decision, candidate in stored),
            left=tuple(left for decision in decisions if (left := _left(decision))),
            operators=(*densify, *version_changes("FULLY_CONNECTED", versions)),
            notes=(_BLOCKS_NOTE,) if any(c.storage.layout.block_map for _, c in stored) else (),
            min_runtime_version=runtime,
            expected=tuple(
                Expected(tensor, source=candidate.source)
                for decision, candidate in stored
                for tensor in decision.weight.tensors
            ),
            baseline=Baseline(tuple(base), counts),
        )


def sparsify(
    model: Model,
    options: SparsifyOptions | None = None,
    *,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Rewrite:
    """Stores sparse every weight that gets smaller by it, as Google's exporter would lay it out.

    A weight keeps its tensor's index, name and buffer; a DENSIFY stands before its first reader,
    one a subgraph. Weights are left alone where a reader cannot take that, where the data have
    other users, and where the model of the runtime says that the result would fail to load, abort
    or return wrong numbers. `result.left` says which, and why.

    Args:
        model: the model; it is edited in place. The encodings are computed when it is written.
        options: which weights, and how.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one. The
            result has these sizes for good.
        batch: the same for the first dimension alone.

    Returns:
        What was done. A second run changes nothing.

    Raises:
        UsageError: there is no such input, or no model of such a size.
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    return run_at_sizes(Sparsify(options), model, input_shapes, batch)


def _store(model: Model, decisions: Iterable[Decision], counts: ZeroCounts) -> int:
    """Edits the model.

    Args:
        model: the model.
        decisions: its weights.
        counts: is told how many zeros the changed weights have, so that none is encoded to be
            counted.

    Returns:
        The number of DENSIFY operators that were added.
    """
    inserted = 0
    names: dict[Subgraph, set[str]] = {}
    for decision in decisions:
        weight, candidate = decision.weight, decision.candidate
        if candidate is None:
            continue
        encoding = deferred_encoding(
            weight.tensor.shape,
            candidate.storage.layout,
            candidate.storage.cost,
            candidate.source,
            candidate.dtype,
        )
        needs_densify = decision.is_dense and not candidate.direct
        for tensor in weight.tensors:
            if needs_densify:
                graph = tensor.subgraph
                if graph not in names:
                    names[graph] = {t.name for t in graph.tensors}
                inserted += insert_densify(model, tensor, names[graph]) is not None
            tensor.table["sparsity"] = sparsity_table(encoding)
        for buffer in weight.buffers:
            buffer.data = encoding.values
        tell_zeros(counts, decision)
    return inserted


def _change(decision: Decision, candidate: Candidate) -> WeightChange:
    return WeightChange(
        weight=decision.id,
        elements=decision.elements,
        zeros=decision.zeros or 0,
        zeroed=candidate.zeroed,
        before=decision.stored,
        after=candidate.storage.layout.describe(decision.weight.tensor.shape),
        bytes_before=decision.bytes,
        bytes_after=candidate.bytes_after,
        note="read without DENSIFY" if candidate.direct else None,
    )


def _left(decision: Decision) -> Left | None:
    """What results say of a weight that is left as it is; None of one that is not."""
    if not isinstance(decision.outcome, Refusal):
        return None
    code, reason = decision.outcome
    return Left(
        decision.id,
        decision.zeros,
        decision.elements,
        decision.stored,
        decision.bytes,
        code,
        reason,
    )
