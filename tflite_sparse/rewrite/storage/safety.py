"""Asks the model of the runtime what storing weights sparse would do, before it is done.

One sparse weight turns the sparse hint on for its whole partition, and that can make today's
runtime refuse a model, abort or return wrong numbers. Whether it does depends on the partition, not
on the weight: so weights are left alone by partition, and those of all other partitions can stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.rewrite.storage.reader_table import needs_delegate
from tflite_sparse.words.names import readable
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.forecast import delegated, forecast
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["Danger", "dangers", "forecasts", "worse"]

# Everything that can go wrong anywhere goes wrong where the sparse path is on.
_TARGET = "arm64"
_BROWSER = "wasm"

_WORDS = {
    Outcome.WRONG_NUMBERS: "the runtime would compute wrong numbers",
    Outcome.LOAD_FAILURE: "the runtime would refuse to load the model",
    Outcome.PROCESS_ABORT: "the runtime would abort the process",
}


class Danger(NamedTuple):
    """Why a weight must stay dense.

    Attributes:
        code: short name of the reason.
        reason: the reason in words.
    """

    code: str
    reason: str


def dangers(
    model: Model,
    base: Sequence[Forecast],
    weights: Sequence[Weight],
    zeros: dict[int, int],
    counts: ZeroCounts,
) -> dict[int, Danger]:
    """Which of some weights must stay dense so that the model still loads and computes the same.

    Args:
        model: the model as it is.
        base: what comes of it as it is.
        weights: the weights that would be stored sparse.
        zeros: id of a weight -> number of its zeros then.
        counts: counts the zeros of weights as they are.

    Returns:
        id of a weight -> why it must stay dense. The rest is safe together.
    """
    found: dict[int, Danger] = {}
    while True:
        kept = [weight for weight in weights if id(weight) not in found]
        before = len(found)
        for subgraph, now in zip(model.subgraphs, base, strict=True):
            inside = [w for w in kept if any(t.subgraph is subgraph for t in w.tensors)]
            if inside:
                found.update(_of_subgraph(subgraph, now, inside, zeros, counts))
        if len(found) == before:
            return found


def forecasts(model: Model, counts: ZeroCounts) -> list[Forecast]:
    """What comes of each subgraph.

    Args:
        model: the model.
        counts: counts the zeros of weights.
    """
    return [forecast(subgraph, _TARGET, zeros=counts) for subgraph in model.subgraphs]


def worse(before: Sequence[Forecast], after: Sequence[Forecast]) -> bool:
    """Whether a subgraph fails that did not, or fails otherwise."""
    return any(
        b.failure is not None and a.failure is not b.failure
        for a, b in zip(before, after, strict=True)
    )


def _of_subgraph(
    subgraph: Subgraph,
    now: Forecast,
    weights: list[Weight],
    zeros: dict[int, int],
    counts: ZeroCounts,
) -> dict[int, Danger]:
    tensors = {
        tensor.index: zeros[id(weight)]
        for weight in weights
        for tensor in weight.tensors
        if tensor.subgraph is subgraph
    }
    encoded = WhatIf(encoded=frozenset(tensors), zeros=tensors)
    then = forecast(subgraph, _TARGET, assume=encoded, zeros=counts)
    lost = _undelegated(subgraph, now.partitions, then.partitions, weights)
    if any(weight.tensors[0].type == "FLOAT16" for weight in weights):
        # LiteRT.js leaves operators to TFLite that LiteRT gives to XNNPACK.
        before = delegated(subgraph, _BROWSER)
        after = delegated(subgraph, _BROWSER, assume=encoded)
        lost |= _undelegated(subgraph, before, after, weights)
    if lost:
        # What is left is asked again, so that nothing else is blamed for these.
        return lost
    if then.failure is not None:
        parts = _failing(then)
        why = readable(then.reasons[0].message)
        danger = Danger("runtime-" + then.failure.value, f"{_WORDS[then.failure]}: {why}")
        hit = {
            id(weight): danger
            for weight in weights
            if parts is None or _partitions(then, subgraph, weight) & parts
        }
        # A failure that no candidate takes part in was there before.
        if hit or now.failure is then.failure:
            return hit
        return {id(weight): danger for weight in weights}
    return {}


def _failing(then: Forecast) -> set[int] | None:
    """The partitions in which something goes wrong; None where that is not known."""
    found: set[int] = set()
    for reason in then.reasons:
        part = None if reason.operator is None else then.partitions.get(reason.operator)
        if part is None:
            return None
        found.add(part)
    return found or None


def _partitions(then: Forecast, subgraph: Subgraph, weight: Weight) -> set[int]:
    readers = (u.operator.index for u in weight.uses if u.operator.subgraph is subgraph)
    return {then.partitions[index] for index in readers if index in then.partitions}


def _undelegated(
    subgraph: Subgraph, now: Collection[int], then: Collection[int], weights: Iterable[Weight]
) -> dict[int, Danger]:
    """Weights with readers that XNNPACK would no longer take, or would have to take.

    Args:
        subgraph: the subgraph.
        now: indices of the operators that XNNPACK takes.
        then: those that it would take.
        weights: the weights.
    """
    found = {}
    for weight in weights:
        for use in weight.uses:
            if use.operator.subgraph is not subgraph:
                continue
            index = use.operator.index
            label = readable(use.operator.label)
            if index in then:
                continue
            if needs_delegate(use):
                # XNNPACK unpacks DENSIFY and DEQUANTIZE for itself alone.
                text = f"XNNPACK does not take {label}, which would then compute with nothing"
                found[id(weight)] = Danger("reader", text)
            elif index in now:
                text = f"XNNPACK would no longer take {label}, which would slow it down"
                found[id(weight)] = Danger("runtime-slower", text)
    return found
