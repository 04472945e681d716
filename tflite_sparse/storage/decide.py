"""Decides which weights of a model are stored sparse: one answer for all who ask.

`sparsify` carries the decisions out; `inspect`, `lint` and `report` tell them.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.model.weights import find_weights
from tflite_sparse.model.zero_counts import Counts, ZeroCounts
from tflite_sparse.storage.candidates import examine
from tflite_sparse.storage.download import refuse_larger_download
from tflite_sparse.storage.fully_connected import SPARSE_VERSION, set_version
from tflite_sparse.storage.negligible_saving import refuse_negligible_saving
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.safety import dangers, forecasts, worse
from tflite_sparse.threads import in_two

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.storage.decision import Decision
    from tflite_sparse.storage.options import SparsifyOptions
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["Settled", "decide", "settle", "tell_zeros"]

_FLOATS = frozenset({"FLOAT32", "FLOAT16"})
_VALUE = 4


class Settled(NamedTuple):
    """What becomes of the weights of a model.

    Attributes:
        decisions: one a weight, in the order in which operators first read them.
        base: what comes of each subgraph as it is.
        counts: the zeros of weights, as far as they were counted.
        versions: FULLY_CONNECTED operators that were given another version, so that they read their
            weights without DENSIFY: version before and after -> number of operators.
    """

    decisions: Sequence[Decision]
    base: list[Forecast]
    counts: ZeroCounts
    versions: Counter[tuple[int, int]]


def decide(model: Model, options: SparsifyOptions) -> Settled:
    """Decides about every weight of a model.

    Args:
        model: the model. It is not changed, but for the versions of operators where the options
            ask that these read their weights without DENSIFY.
        options: which weights, and how.

    Raises:
        EncodingError: a sparse encoding in the model is malformed.
    """
    weights = find_weights(model, by_bytes=True)
    numbers = sum(weight.buffers[0].nbytes // _VALUE for weight in weights)
    decisions = in_two(partial(examine, options=options), weights, numbers)
    return settle(model, options, decisions, _counts_before(decisions, options))


def settle(
    model: Model, options: SparsifyOptions, decisions: Sequence[Decision], counts: ZeroCounts
) -> Settled:
    """Refuses, of weights that were each looked at alone, those that would do harm or save nothing.

    Args:
        model: the model, see `decide`.
        options: what they were looked at for.
        decisions: one for each weight.
        counts: the zeros of weights as they are, as far as they were counted.
    """
    base = forecasts(model, counts)
    versions = _use_sparse_kernels(model, decisions, base, counts)
    if versions:
        base = forecasts(model, counts)
    _refuse_dangerous(model, base, decisions, counts, options.targets)
    refuse_larger_download(decisions, options)
    refuse_negligible_saving(model, decisions, options)
    return Settled(decisions, base, counts, versions)


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
    model: Model,
    base: list[Forecast],
    decisions: Iterable[Decision],
    counts: ZeroCounts,
    targets: Sequence[str],
) -> None:
    """Refuses what would make the runtime do worse behind a DENSIFY."""
    zeros = {
        decision.weight: decision.zeros or 0
        for decision in decisions
        if decision.candidate and not decision.candidate.direct and decision.is_dense
    }
    refusals = dangers(model, base, zeros, counts, targets)
    for decision in decisions:
        if decision.weight in refusals:
            decision.refuse(refusals[decision.weight])


def _counts_before(decisions: Iterable[Decision], options: SparsifyOptions) -> ZeroCounts:
    """The zeros of weights as they are, as far as they were counted.

    Nobody needs to read these weights once more. What counts as zero in others, or what is to be
    set to zero, is another matter.
    """
    counts = ZeroCounts()
    if not options.zero_below:
        for decision in decisions:
            if decision.zeros is not None and decision.weight.tensor.type in _FLOATS:
                tell_zeros(counts, decision)
    return counts


def tell_zeros(counts: ZeroCounts, decision: Decision) -> None:
    """Tells the zeros of a weight, those included that are set to zero, to who counts them."""
    for tensor in decision.weight.tensors:
        counts.tell(tensor, Counts(decision.elements, decision.zeros or 0))
