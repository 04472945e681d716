"""Asks the model of the runtime what storing weights sparse would do, before it is done.

One sparse weight turns the sparse hint on for its whole partition, and that can make today's
runtime refuse a model, abort or return wrong numbers. Whether it does depends on the partition, not
on the weight: so weights are left alone by partition, and those of all other partitions can stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.storage.reader_table import needs_delegate
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.words.names import readable
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.forecast import delegated, forecast
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["FORECAST_TARGET", "dangers", "forecasts", "worse"]

# Everything that can go wrong anywhere goes wrong where the sparse path is on.
FORECAST_TARGET = "arm64"
"""The target that forecasts are for."""
_BROWSER = "wasm"
_RELEASE = "@"

_WORDS = {
    Outcome.WRONG_NUMBERS: "the runtime would compute wrong numbers",
    Outcome.LOAD_FAILURE: "the runtime would refuse to load the model",
    Outcome.PROCESS_ABORT: "the runtime would abort the process",
    Outcome.OUTPUT_SHAPE: "the runtime would give an output another shape",
}


def dangers(
    model: Model,
    base: Sequence[Forecast],
    zeros: Mapping[Weight, int],
    counts: ZeroCounts,
    targets: Sequence[str] = (),
) -> dict[Weight, Refusal]:
    """Which weights must stay dense so that the model still loads and computes the same.

    Args:
        model: the model as it is.
        base: what comes of it as it is.
        zeros: the weights that would be stored sparse, and the number of their zeros then.
        counts: counts the zeros of weights as they are.
        targets: names of targets; those that name a release of the runtime are asked besides the
            newest.

    Returns:
        Why each of them must stay dense. The rest is safe together.
    """
    sizes = input_shapes_of(model)
    if sizes.chosen and sizes.unknown:
        why = f"the file leaves {sizes.open_words} open, and {sizes.unknown}"
        return dict.fromkeys(zeros, Refusal("sizes", why))
    asked = [(FORECAST_TARGET, base)]
    asked += [(name, forecasts(model, counts, name)) for name in targets if _RELEASE in name]
    refusals: dict[Weight, Refusal] = {}
    while True:
        before = len(refusals)
        for name, now in asked:
            rest = {weight: n for weight, n in zeros.items() if weight not in refusals}
            refusals |= _dangers_on(model, name, now, rest, counts)
        if len(asked) == 1 or len(refusals) == before:
            return refusals


def _dangers_on(
    model: Model,
    target: str,
    base: Sequence[Forecast],
    zeros: Mapping[Weight, int],
    counts: ZeroCounts,
) -> dict[Weight, Refusal]:
    """The same on one target."""
    refusals: dict[Weight, Refusal] = {}
    while True:
        kept = [weight for weight in zeros if weight not in refusals]
        before = len(refusals)
        for subgraph, now in zip(model.subgraphs, base, strict=True):
            inside = {
                weight: zeros[weight]
                for weight in kept
                if any(tensor.subgraph is subgraph for tensor in weight.tensors)
            }
            if inside:
                refusals |= _dangers_in(subgraph, target, now, inside, counts)
        if len(refusals) == before:
            return refusals


def forecasts(model: Model, counts: ZeroCounts, target: str = FORECAST_TARGET) -> list[Forecast]:
    """What comes of each subgraph.

    Args:
        model: the model.
        counts: counts the zeros of weights.
        target: name of the target.
    """
    return [forecast(subgraph, target, zeros=counts) for subgraph in model.subgraphs]


def worse(before: Sequence[Forecast], after: Sequence[Forecast]) -> bool:
    """Whether a subgraph fails that did not, or fails otherwise."""
    return any(
        b.failure is not None and a.failure is not b.failure
        for a, b in zip(before, after, strict=True)
    )


def _dangers_in(
    subgraph: Subgraph,
    target: str,
    now: Forecast,
    zeros: Mapping[Weight, int],
    counts: ZeroCounts,
) -> dict[Weight, Refusal]:
    """Which weights of a subgraph must stay dense, and why."""
    by_tensor = {
        tensor.index: number
        for weight, number in zeros.items()
        for tensor in weight.tensors
        if tensor.subgraph is subgraph
    }
    encoded = WhatIf(encoded=frozenset(by_tensor), zeros=by_tensor)
    then = forecast(subgraph, target, assume=encoded, zeros=counts)
    lost = _undelegated(subgraph, now.partitions, then.partitions, zeros)
    if any(weight.tensor.type == "FLOAT16" for weight in zeros):
        # LiteRT.js leaves operators to TFLite that LiteRT gives to XNNPACK.
        before = delegated(subgraph, _BROWSER)
        after = delegated(subgraph, _BROWSER, assume=encoded)
        lost |= _undelegated(subgraph, before, after, zeros)
    if lost:
        # What is left is asked again, so that nothing else is blamed for these.
        return lost
    if then.failure is None:
        return {}
    failing = _failing_partitions(then)
    why = then.reasons[0].message
    refusal = Refusal("runtime-" + then.failure.value, f"{_words(then.failure, target)}: {why}")
    involved = {
        weight: refusal
        for weight in zeros
        if failing is None or _partitions(then, subgraph, weight) & failing
    }
    # A failure that no candidate takes part in was there before.
    if involved or now.failure is then.failure:
        return involved
    return dict.fromkeys(zeros, refusal)


def _words(failure: Outcome, target: str) -> str:
    words = _WORDS[failure]
    if _RELEASE not in target:
        return words
    return words.replace("the runtime", target_of(target).runtime.name, 1)


def _failing_partitions(then: Forecast) -> set[int] | None:
    """The partitions in which something goes wrong; None where that is not known."""
    failing: set[int] = set()
    for reason in then.reasons:
        partition = None if reason.operator is None else then.partitions.get(reason.operator)
        if partition is None:
            return None
        failing.add(partition)
    return failing or None


def _partitions(then: Forecast, subgraph: Subgraph, weight: Weight) -> set[int]:
    readers = (u.operator.index for u in weight.uses if u.operator.subgraph is subgraph)
    return {then.partitions[index] for index in readers if index in then.partitions}


def _undelegated(
    subgraph: Subgraph, now: Collection[int], then: Collection[int], weights: Iterable[Weight]
) -> dict[Weight, Refusal]:
    """Weights with readers that XNNPACK would no longer take, or would have to take.

    Args:
        subgraph: the subgraph.
        now: indices of the operators that XNNPACK takes.
        then: those that it would take.
        weights: the weights.
    """
    lost = {}
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
                lost[weight] = Refusal("reader", text)
            elif index in now:
                text = f"XNNPACK would no longer take {label}, which would slow it down"
                lost[weight] = Refusal("runtime-slower", text)
    return lost
