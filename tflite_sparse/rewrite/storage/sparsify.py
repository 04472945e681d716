"""Stores weights sparse where that makes the file smaller and the runtime stays right."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.model.sparse import sparsity_table
from tflite_sparse.model.weights import find_weights
from tflite_sparse.model.zero_counts import Counts, ZeroCounts
from tflite_sparse.rewrite.changes import (
    Baseline,
    OperatorChange,
    Rewrite,
    RewriteKind,
    WeightChange,
    version_changes,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.candidates import examine
from tflite_sparse.rewrite.storage.encoding_choice import deferred_encoding
from tflite_sparse.rewrite.storage.fully_connected import SPARSE_VERSION, set_version
from tflite_sparse.rewrite.storage.insert_densify import insert_densify
from tflite_sparse.rewrite.storage.negligible_saving import refuse_negligible_saving
from tflite_sparse.rewrite.storage.options import SparsifyOptions
from tflite_sparse.rewrite.storage.refusals import Refusal
from tflite_sparse.rewrite.storage.safety import dangers, forecasts, worse
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import (
    DENSIFY_NEEDS,
    SPARSE_FC_NEEDS,
    raise_runtime_version,
)
from tflite_sparse.threads import in_two

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.rewrite.storage.decision import Candidate, Decision
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["Sparsify", "sparsify"]

_FLOATS = frozenset({"FLOAT32", "FLOAT16"})
_VALUE = 4

_BLOCKS_NOTE = (
    "blocks change the size of the file, not XNNPACK's speed: it finds blocks of its own in the"
    " dense weights"
)


class Sparsify(ModelPass):
    """Stores weights sparse, see `sparsify`."""

    name = RewriteKind.SPARSIFY
    summary = "Store weights sparse where that makes the file smaller and the runtime stays right."

    def __init__(self, options: SparsifyOptions | None = None) -> None:
        self.options = options or SparsifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Examines every weight, refuses those that would do harm, and stores the others sparse."""
        weights = find_weights(model, by_bytes=True)
        numbers = sum(weight.buffers[0].nbytes // _VALUE for weight in weights)
        decisions = in_two(partial(examine, options=self.options), weights, numbers)
        counts = _counts_before(decisions, self.options)
        base = forecasts(model, counts)
        versions = _use_sparse_kernels(model, decisions, base, counts)
        if versions:
            base = forecasts(model, counts)
        _refuse_dangerous(model, base, decisions, counts)
        refuse_negligible_saving(model, decisions, self.options)
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
            left=tuple(left for decision in decisions if (left := decision.left())),
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


def sparsify(model: Model, options: SparsifyOptions | None = None) -> Rewrite:
    """Stores sparse every weight that gets smaller by it, as Google's exporter would lay it out.

    A weight keeps its tensor's index, name and buffer; a DENSIFY stands before its first reader,
    one a subgraph. Weights are left alone where a reader cannot take that, where the data have
    other users, and where the model of the runtime says that the result would fail to load, abort
    or return wrong numbers. `result.left` says which, and why.

    Args:
        model: the model; it is edited in place. The encodings are computed when it is written.
        options: which weights, and how.

    Returns:
        What was done. A second run changes nothing.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    return Sparsify(options).run(model)


def _use_sparse_kernels(
    model: Model, decisions: Iterable[Decision], base: list[Forecast], counts: ZeroCounts
) -> Counter[tuple[int, int]]:
    """Gives operators that read sparse weights directly their version, where that stays right.

    Such an operator leaves XNNPACK, which cuts the graph into other partitions.

    Returns:
        Version before and after -> number of operators.
    """
    direct = [d for d in decisions if d.candidate and d.candidate.direct]
    before = {reader: reader.version for d in direct for reader in d.weight.readers}
    for reader in before:
        set_version(model, reader, SPARSE_VERSION)
    if before and worse(base, forecasts(model, counts)):
        for reader, version in before.items():
            set_version(model, reader, version)
        model.drop_unused_codes()
        reason = "without FULLY_CONNECTED, the rest of the graph would go wrong"
        for decision in direct:
            decision.refuse(Refusal("runtime", reason))
        return Counter()
    return Counter((version, SPARSE_VERSION) for version in before.values())


def _refuse_dangerous(
    model: Model, base: list[Forecast], decisions: Iterable[Decision], counts: ZeroCounts
) -> None:
    """Refuses what would make the runtime do worse behind a DENSIFY."""
    zeros = {
        decision.weight: decision.zeros or 0
        for decision in decisions
        if decision.candidate and not decision.candidate.direct and decision.is_dense
    }
    refusals = dangers(model, base, zeros, counts)
    for decision in decisions:
        if decision.weight in refusals:
            decision.refuse(refusals[decision.weight])


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
        _tell(counts, decision)
    return inserted


def _counts_before(decisions: Iterable[Decision], options: SparsifyOptions) -> ZeroCounts:
    """The zeros of weights as they are, as far as they were counted.

    Nobody needs to read these weights once more. What counts as zero in others, or what is to be
    set to zero, is another matter.
    """
    counts = ZeroCounts()
    if not options.zero_below:
        for decision in decisions:
            if decision.zeros is not None and decision.weight.tensor.type in _FLOATS:
                _tell(counts, decision)
    return counts


def _tell(counts: ZeroCounts, decision: Decision) -> None:
    for tensor in decision.weight.tensors:
        counts.tell(tensor, Counts(decision.elements, decision.zeros or 0))


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
