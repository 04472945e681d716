"""Decides whether an adapted model is worth keeping, and says why if it is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.adaptation import ZEROS_NEEDED
from tflite_sparse.words.numbers import count_of, percent, rounded_percent, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.model.sizes.sized import InputShapes
    from tflite_sparse.rewrite.adapt.adaptation import Blocked
    from tflite_sparse.rewrite.adapt.outlook import Prospect
    from tflite_sparse.xnnpack.cost.planning import Planning

__all__ = [
    "MEASURED",
    "is_final",
    "reason_against",
    "reason_by_memory",
    "reason_for_no_steps",
    "with_root_cause",
]

MEASURED = "wasm"
"""The only target with prices that were measured."""

_SLOWER = 1.03

_ELIGIBLE = "it is eligible as it is; tflite-sparse sparsify stores its weights sparse"
_UNSTORED = (
    "the runtime looks for zeros only where a weight is stored sparse, and none of its pruned ones"
    " can be; tflite-sparse sparsify tells why"
)
_NO_PART = "no part of it would run both sparse and faster"
_NO_CONVOLUTIONS = "it has no 1x1 convolutions, the only operators with sparse kernels"
_NONE_WIDER = (
    "it has no 1x1 convolutions, and none wider than that would run both sparse and faster"
)
_NO_MORE = "no more of the model would run sparse"
_SLOWER_THAN = "it would take"
_LARGER = "its activations would take"


def reason_against(
    before: Mapping[str, Prospect],
    after: Mapping[str, Prospect],
    planning: Planning,
    min_gain: float,
    *,
    only_repairs: bool,
    reorders: bool = False,
) -> str | None:
    """Why an adapted model should not be kept; None if it should.

    Args:
        before: what comes of the model as it was, by target.
        after: what comes of the result.
        planning: the targets that it must run right on, and what counts on them.
        min_gain: how many times faster it must be by the estimate.
        only_repairs: whether only passes that repair changed anything.
        reorders: whether only the order of channels changed.
    """
    targets = planning.targets
    for name in targets:
        if after[name].outcome.is_failure and not before[name].outcome.is_failure:
            return f"on {name} the result would end in {after[name].outcome.value}"
    if any(before[n].outcome.is_failure and not after[n].outcome.is_failure for n in targets):
        return None
    gained = any(after[n].sparse_macs > before[n].sparse_macs for n in targets)
    # A barrier is worth its price alone, not on top of what has won nothing.
    stored = only_repairs and after[MEASURED].stored > before[MEASURED].stored
    if not gained and not stored and not reorders:
        return _NO_MORE
    least = min(min_gain, min_gain if gained else 1 / _SLOWER)
    return _too_slow(before, after, planning, least, sparse=reorders)


def _too_slow(
    before: Mapping[str, Prospect],
    after: Mapping[str, Prospect],
    planning: Planning,
    min_gain: float,
    *,
    sparse: bool,
) -> str | None:
    """That the result is not fast enough, in the geometric mean over the targets.

    Args:
        before: what comes of the model as it was.
        after: what comes of the result.
        planning: the targets that it is made for, and what counts on them.
        min_gain: how many times faster it must be.
        sparse: whether the model as it was counts with sparse weights, in any case.
    """
    gains: dict[str, float] = {}
    for name in planning.targets:
        was, now = before[name], after[name]
        if was.cost and now.cost:
            dense = was.cost if sparse else was.dense_cost or was.cost
            gains[name] = min(was.cost, dense) / now.cost
    if not gains or math.prod(gains.values()) ** (1 / len(gains)) >= min_gain:
        return None
    measured, now = before[MEASURED], after[MEASURED]
    if gains.get(MEASURED, math.inf) < min_gain and measured.ms is not None and now.ms is not None:
        fastest = min(measured.ms, measured.dense_ms or measured.ms)
        return f"{_SLOWER_THAN} about {now.ms:.2f} ms in WebAssembly; as it is, {fastest:.2f} ms"
    worst = min(gains, key=gains.__getitem__)
    if planning.counts(worst):
        return f"{_SLOWER_THAN} {1 / gains[worst]:.2f} times as many instructions on {worst}"
    return f"{_SLOWER_THAN} {1 / gains[worst]:.2f} times as long on {worst}"


def reason_by_memory(needed: int, most: float) -> str | None:
    """That activations take more memory than they may; None where they do not.

    Args:
        needed: bytes of the activations that are alive at once.
        most: bytes that they may take.
    """
    if needed <= most:
        return None
    return f"{_LARGER} {size(needed)} at once, more than {size(int(most))}"


def reason_for_no_steps(
    before: Mapping[str, Prospect], sizes: InputShapes, pointwise: int, wide: int
) -> str:
    """Why there was nothing to try.

    Args:
        before: what comes of the model as it is, by target.
        sizes: the sizes that it was looked at with.
        pointwise: number of its 1x1 convolutions, those that could not run sparse among them.
        wide: number of its convolutions with larger kernels.
    """
    now = before[MEASURED]
    if not pointwise:
        return _NONE_WIDER if wide else _NO_CONVOLUTIONS
    if now.quantized and not now.weights:
        return (
            f"{now.quantized} of its {now.pointwise} 1x1 convolutions compute in int8, and there"
            " are sparse kernels for fp32 and fp16 only"
        )
    if now.sparse:
        return _ELIGIBLE
    if now.weights and now.zeros * 3 <= now.weights * 2:
        return f"only {percent(now.zeros, now.weights)} of its 1x1 weights are zero; {ZEROS_NEEDED}"
    if sizes.chosen:
        return (
            f"the file leaves {sizes.open_words} open, and what would make it run sparse holds for"
            f" one size; --input-shape {sizes.argument} makes a model of that size"
        )
    return _UNSTORED if now.weights and not now.storable else _NO_PART


def is_final(reason: str) -> bool:
    """Whether a reason has nothing to do with the operators of the graph."""
    return not reason.startswith((_NO_PART, _NONE_WIDER, _NO_MORE, _SLOWER_THAN, _LARGER))


def with_root_cause(reason: str, blocked: Sequence[Blocked]) -> str:
    """A reason with the obstacle that matters most behind it, if there is one."""
    if not blocked:
        return reason
    first = blocked[0]
    kind = first.operator.partition(" #")[0]
    alike = [b for b in blocked if b.reason == first.reason and b.operator.startswith(f"{kind} #")]
    others = len(alike) - 1
    text = f"{reason}: {first.operator} {first.reason}"
    if others:
        text += f", and {count_of(others, 'other')} alike"
    if first.share:
        text += f", which keeps {rounded_percent(first.share)} of the 1x1 work dense"
    return text
