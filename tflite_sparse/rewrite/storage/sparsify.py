"""Stores weights sparse where that makes the file smaller and the runtime stays right."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from tflite_sparse.model.sparse import sparsity_table
from tflite_sparse.model.zero_counts import Counts, ZeroCounts
from tflite_sparse.rewrite.changes import (
    Baseline,
    Left,
    OperatorChange,
    Rewrite,
    WeightChange,
    version_changes,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.candidates import Candidate, examine
from tflite_sparse.rewrite.storage.encoding_choice import DENSIFY_CODE_NBYTES, deferred_encoding
from tflite_sparse.rewrite.storage.fully_connected import SPARSE_VERSION, set_version
from tflite_sparse.rewrite.storage.insert_densify import insert_densify
from tflite_sparse.rewrite.storage.options import SparsifyOptions
from tflite_sparse.rewrite.storage.refusals import Refusal
from tflite_sparse.rewrite.storage.safety import dangers, forecasts, worse
from tflite_sparse.rewrite.storage.shared_weights import shared_weights
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.rewrite.writing.runtime_version import (
    DENSIFY_NEEDS,
    SPARSE_FC_NEEDS,
    raise_runtime_version,
)
from tflite_sparse.rewrite.writing.sizes import written_size
from tflite_sparse.threads import in_two

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.rewrite.storage.candidates import Examined
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["Sparsify", "sparsify"]

_FLOATS = frozenset({"FLOAT32", "FLOAT16"})
_ALIGNMENT = 32
_VALUE = 4
_OTHER_VECTORS = 64

_BLOCKS_NOTE = (
    "blocks change the size of the file, not XNNPACK's speed: it finds blocks of its own in the"
    " dense weights"
)


class Sparsify(ModelPass):
    """Stores weights sparse, see `sparsify`."""

    name = "sparsify"
    summary = "Store weights sparse where that makes the file smaller and the runtime stays right."

    def __init__(self, options: SparsifyOptions | None = None) -> None:
        self.options = options or SparsifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Examines every weight, leaves those that would do harm, and stores the others sparse."""
        options = self.options
        weights = shared_weights(model)
        numbers = sum(weight.buffers[0].nbytes // _VALUE for weight in weights)
        examined = in_two(partial(examine, options=options), weights, numbers)
        counted = _counted(examined, options)
        base = forecasts(model, counted)
        why: dict[int, Refusal] = {}
        versions = _try_direct(model, examined, base, why, counted)
        if versions:
            base = forecasts(model, counted)
        zeros = {id(e.weight): e.zeros or 0 for e in examined}
        wanted = [
            e.found for e in examined if isinstance(e.found, Candidate) and not e.found.direct
        ]
        fresh = [c.weight for c in wanted if c.weight.tensor.sparsity is None]
        why.update(
            (weight, Refusal(danger.code, danger.reason))
            for weight, danger in dangers(model, base, fresh, zeros, counted).items()
        )
        _refuse_pennies(model, examined, why, options)
        changes, inserted = _apply(model, examined, why)
        _tell_changed(examined, why, counted)
        runtime = None
        if inserted or versions:
            runtime = raise_runtime_version(model, SPARSE_FC_NEEDS if versions else DENSIFY_NEEDS)
        operators = (OperatorChange("DENSIFY", added=inserted),) if inserted else ()
        blocked = any(
            isinstance(e.found, Candidate)
            and id(e.weight) not in why
            and e.found.storage.layout.block_map
            for e in examined
        )
        return Rewrite(
            model=model,
            kind=self.name,
            weights=changes,
            left=tuple(_left(e, why) for e in examined if _is_left(e, why)),
            operators=(*operators, *version_changes("FULLY_CONNECTED", versions)),
            notes=(_BLOCKS_NOTE,) if blocked else (),
            min_runtime_version=runtime,
            expected=tuple(_expected(examined, why)),
            baseline=Baseline(tuple(base), counted),
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


def _try_direct(
    model: Model,
    examined: list[Examined],
    base: list[Forecast],
    why: dict[int, Refusal],
    counted: ZeroCounts,
) -> Counter[tuple[int, int]]:
    """Gives operators that read sparse weights directly their version, where that stays right.

    Such an operator leaves XNNPACK, which cuts the graph into other partitions.
    """
    readers: dict[int, Operator] = {}
    for e in examined:
        if isinstance(e.found, Candidate) and e.found.direct:
            readers.update((id(r), r) for r in e.weight.readers)
    before = {key: operator.version for key, operator in readers.items()}
    for operator in readers.values():
        set_version(model, operator, SPARSE_VERSION)
    if readers and worse(base, forecasts(model, counted)):
        for key, operator in readers.items():
            set_version(model, operator, before[key])
        model.drop_unused_codes()
        for e in examined:
            if isinstance(e.found, Candidate) and e.found.direct:
                why[id(e.weight)] = Refusal(
                    "runtime", "without FULLY_CONNECTED, the rest of the graph would go wrong"
                )
        return Counter()
    return Counter((version, SPARSE_VERSION) for version in before.values())


def _refuse_pennies(
    model: Model, examined: list[Examined], why: dict[int, Refusal], options: SparsifyOptions
) -> None:
    """Leaves all weights alone where together they would not make the file smaller.

    The first DENSIFY adds an operator code, and a file that was packed tightly grows by the
    alignment of its buffers when it is written anew.
    """
    kept = [e for e in examined if isinstance(e.found, Candidate) and id(e.weight) not in why]
    if not kept or options.zero_below > 0 or any(_direct(e) for e in kept):
        return
    saving = sum(e.bytes - e.found.bytes_after for e in kept if isinstance(e.found, Candidate))
    if not any(operator.name == "DENSIFY" for operator in model.operators()):
        saving -= DENSIFY_CODE_NBYTES
    # Alignment costs at most so much; where more is saved, the exact number does not matter.
    if 0 < saving <= _ALIGNMENT * (len(model.buffers) + _OTHER_VECTORS) and model.size:
        saving -= written_size(model) - model.size
    if saving <= 0:
        reason = "all weights together would not make the file smaller"
        why.update((id(e.weight), Refusal("saves-too-little", reason)) for e in kept)


def _apply(
    model: Model, examined: Iterable[Examined], why: dict[int, Refusal]
) -> tuple[tuple[WeightChange, ...], int]:
    """Edits the model; returns the changes and the number of DENSIFY operators that were added."""
    changes = []
    inserted = 0
    names: dict[int, set[str]] = {}
    for e in examined:
        candidate, weight = e.found, e.weight
        if not isinstance(candidate, Candidate) or id(weight) in why:
            continue
        layout = candidate.storage.layout
        encoding = deferred_encoding(
            weight.tensor.shape, layout, candidate.storage.cost, candidate.source, candidate.dtype
        )
        fresh = weight.tensor.sparsity is None
        for tensor in weight.tensors:
            if fresh and not candidate.direct:
                graph = tensor.subgraph
                if graph.index not in names:
                    names[graph.index] = {t.name for t in graph.tensors}
                inserted += insert_densify(model, tensor, names[graph.index]) is not None
            tensor.table["sparsity"] = sparsity_table(encoding)
        for buffer in weight.buffers:
            buffer.data = encoding.values
        changes.append(
            WeightChange(
                weight=e.id,
                elements=e.elements,
                zeros=e.zeros or 0,
                zeroed=candidate.zeroed,
                before=e.stored,
                after=layout.describe(weight.tensor.shape),
                bytes_before=e.bytes,
                bytes_after=candidate.bytes_after,
                note="read without DENSIFY" if candidate.direct else None,
            )
        )
    return tuple(changes), inserted


def _counted(examined: Iterable[Examined], options: SparsifyOptions) -> ZeroCounts:
    """The zeros of weights as they are, as far as they were counted.

    Nobody needs to read these weights once more. What counts as zero in others, or what is to be
    set to zero, is another matter.
    """
    counts = ZeroCounts()
    for e in examined:
        if e.zeros is not None and not options.zero_below and e.weight.tensor.type in _FLOATS:
            for tensor in e.weight.tensors:
                counts.tell(tensor, Counts(e.elements, e.zeros))
    return counts


def _tell_changed(
    examined: Iterable[Examined], why: dict[int, Refusal], counts: ZeroCounts
) -> None:
    """Says how many zeros the changed weights have, so that none is encoded to be counted."""
    for e in examined:
        if isinstance(e.found, Candidate) and id(e.weight) not in why:
            for tensor in e.weight.tensors:
                counts.tell(tensor, Counts(e.elements, e.zeros or 0))


def _expected(examined: Iterable[Examined], why: dict[int, Refusal]) -> Iterator[Expected]:
    for e in examined:
        if isinstance(e.found, Candidate) and id(e.weight) not in why:
            for tensor in e.weight.tensors:
                yield Expected(tensor, source=e.found.source)


def _direct(e: Examined) -> bool:
    return isinstance(e.found, Candidate) and e.found.direct


def _is_left(e: Examined, why: dict[int, Refusal]) -> bool:
    return isinstance(e.found, Refusal) or id(e.weight) in why


def _left(e: Examined, why: dict[int, Refusal]) -> Left:
    refusal = why.get(id(e.weight)) or e.found
    assert isinstance(refusal, Refusal)  # noqa: S101 - asked for with `_is_left` only
    return Left(
        weight=e.id,
        zeros=e.zeros,
        elements=e.elements,
        stored=e.stored,
        bytes=e.bytes,
        code=refusal.code,
        reason=refusal.reason,
    )
