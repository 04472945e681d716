"""Predicts what the runtime does with a model once its weights are stored sparse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.weights import find_weights, is_pointwise
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.rewrite.adapt.adaptation import Outlook
from tflite_sparse.rewrite.adapt.channels.choose import Runs
from tflite_sparse.storage.candidates import examine
from tflite_sparse.storage.decision import Candidate
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.refusals import reader_refusal, structural_refusal
from tflite_sparse.storage.safety import dangers, forecasts
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.instructions import (
    InstructionEstimate,
    ProcessorEstimate,
    instruction_estimate,
    over_processors,
)
from tflite_sparse.xnnpack.cost.planning import Planning
from tflite_sparse.xnnpack.plan import Plan, plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import USUAL
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Model, Operator, Subgraph
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["TARGETS", "Prospect", "outlook", "prospects"]

TARGETS = USUAL
"""The targets that a model must run right on unless others are named."""

_QUANTIZED = ("INT4", "INT8", "UINT8", "INT16")
_FLOATS = ("FLOAT32", "FLOAT16")
_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_LEAST_ZEROS = 0.34
_WORST = (
    Outcome.PROCESS_ABORT,
    Outcome.LOAD_FAILURE,
    Outcome.WRONG_NUMBERS,
    Outcome.OUTPUT_SHAPE,
)


class Prospect(msgspec.Struct, frozen=True):
    """A model with its weights stored sparse, on a target.

    Attributes:
        outcome: the worst outcome of its subgraphs.
        pointwise: number of 1x1 convolutions.
        sparse: number of them that run sparse.
        macs: multiplications in all.
        sparse_macs: multiplications in operators with sparse kernels.
        dense_ms: estimated time with dense weights in milliseconds; None without an estimate.
        ms: estimated time.
        storable: bytes of weights that may be stored sparse, each by itself.
        stored: bytes of those that are, as the result runs right.
        zeros: zeros in the filters of 1x1 convolutions.
        weights: size of those filters.
        quantized: number of 1x1 convolutions whose filters are quantized and stay so.
        cost: what a run costs by the prices that it is planned by, to compare with others on the
            same target; None where it does not run right.
        dense_cost: the same with dense weights.
        processors: estimated instructions on 64-bit Arm; none on other targets.
        plans: what the runtime does with each subgraph.
    """

    outcome: Outcome
    pointwise: int
    sparse: int
    macs: int
    sparse_macs: int
    dense_ms: float | None
    ms: float | None
    storable: int
    stored: int
    zeros: int
    weights: int
    quantized: int = 0
    cost: float | None = None
    dense_cost: float | None = None
    processors: tuple[ProcessorEstimate, ...] = ()
    plans: tuple[Plan, ...] = ()

    @property
    def share(self) -> float:
        """Share of the multiplications in operators with sparse kernels."""
        return self.sparse_macs / self.macs if self.macs else 0.0

    def runs(self, model: Model, target: str, planning: Planning) -> Runs:
        """How the model of this prospect runs on its target, with the kernels of its operators.

        Args:
            model: the model.
            target: name of the target.
            planning: what alternatives are compared by.
        """
        kernels = {
            subgraph.operators[planned.index]: planned.kernel
            for subgraph, plan_of in zip(model.subgraphs, self.plans, strict=True)
            for planned in plan_of.operators
            if planned.kernel is not None
        }
        return Runs(target_of(target), self.cost or 0.0, planning.costs(target), kernels)


def prospects(
    model: Model, targets: Sequence[str], planning: Planning | None = None
) -> dict[str, Prospect]:
    """What comes of a model on some targets once every weight is stored sparse that may be.

    Args:
        model: a model with dense weights; it is only looked at.
        targets: names of the targets.
        planning: what alternatives are compared by; None for what the usual targets are.
    """
    zeros: dict[Weight, int] = {}
    counts = ZeroCounts()
    for weight in find_weights(model, by_bytes=True):
        tensor = weight.tensor
        if (
            (tensor.type in _FLOATS or _is_rounded(weight))
            and tensor.sparsity is None
            and len(tensor.shape) in (2, 4)
            and weight.readers
            and all(reader.name in _READERS for reader in weight.readers)
            and tensor.data is not None
            and structural_refusal(weight) is None
            and reader_refusal(weight) is None
        ):
            counted = counts.of(tensor)
            # A sparse tensor without any value is no constant to the runtime.
            if _LEAST_ZEROS * counted.elements < counted.zeros < counted.elements:
                zeros[weight] = counted.zeros
    refusals = dangers(model, forecasts(model, counts), zeros, counts, targets)
    safe = [weight for weight in zeros if weight not in refusals]
    encoded: dict[int, set[int]] = {}
    for weight in safe:
        for tensor in weight.tensors:
            encoded.setdefault(tensor.subgraph.index, set()).add(tensor.index)
    stored = (sum(w.buffers[0].nbytes for w in zeros), sum(w.buffers[0].nbytes for w in safe))
    plans: dict[Target, list[Plan]] = {}
    views = {}
    for name in targets:
        target = target_of(name)
        # Targets that differ in nothing but their names have the same plan.
        nameless = msgspec.structs.replace(target, name="", title="", note="")
        if nameless not in plans:
            plans[nameless] = [
                plan(
                    subgraph,
                    target,
                    assume=WhatIf(encoded=frozenset(encoded.get(subgraph.index, ()))),
                    zeros=counts,
                )
                for subgraph in model.subgraphs
            ]
        views[name] = _prospect(model, target, plans[nameless], stored, planning or Planning())
    return views


def _prospect(
    model: Model, target: Target, plans: Sequence[Plan], stored: tuple[int, int], planning: Planning
) -> Prospect:
    each = [
        (msgspec.structs.replace(unnamed, target=target), subgraph)
        for unnamed, subgraph in zip(plans, model.subgraphs, strict=True)
    ]
    times = [estimate(*one) for one in each]
    dense, planned = _sums(
        [None if time is None else (time.dense_ms, time.planned_ms) for time in times]
    )
    dense_cost, cost = _sums([planning.run(*one) for one in each])
    verdicts = [p.verdict for p in plans]
    pointwise = [f for p in plans for f in p.filters if f.pointwise]
    worst = next((o for o in _WORST if any(v.elsewhere is o for v in verdicts)), None)
    sparse = any(v.elsewhere is Outcome.SPARSE for v in verdicts)
    return Prospect(
        outcome=worst or (Outcome.SPARSE if sparse else Outcome.DENSE),
        pointwise=sum(v.pointwise for v in verdicts),
        sparse=sum(v.sparse_pointwise for v in verdicts),
        macs=sum(v.macs for v in verdicts),
        sparse_macs=sum(v.sparse_macs for v in verdicts),
        dense_ms=dense,
        ms=planned,
        storable=stored[0],
        stored=stored[1],
        zeros=sum(f.zeros for f in pointwise),
        weights=sum(f.parameters for f in pointwise),
        quantized=sum(is_pointwise(o) and _is_quantized(o) for o in model.operators()),
        cost=cost,
        dense_cost=dense_cost,
        processors=_processors(each),
        plans=tuple(plans),
    )


def _sums(pairs: Sequence[tuple[float, float] | None]) -> tuple[float | None, float | None]:
    """The sums over all subgraphs, dense and as planned; None without an estimate of one."""
    told = [pair for pair in pairs if pair is not None]
    if len(told) < len(pairs):
        return None, None
    return sum(dense for dense, _ in told), sum(planned for _, planned in told)


def _processors(plans: Sequence[tuple[Plan, Subgraph]]) -> tuple[ProcessorEstimate, ...]:
    """The instructions of all subgraphs by processor; none without an estimate of one."""
    estimates = [instruction_estimate(*one) for one in plans]
    told = [estimated.processors for estimated in estimates if estimated is not None]
    if len(told) < len(plans):
        return ()
    return tuple(
        ProcessorEstimate(
            same[0].processor, sum(one.dense for one in same), sum(one.planned for one in same)
        )
        for same in zip(*told, strict=True)
    )


def _is_rounded(weight: Weight) -> bool:
    """Whether a weight is int8 that a DEQUANTIZE makes floats of, and would be stored sparse.

    Of floats nearly all with so many zeros are; of a byte a value only those that are not small.
    """
    if weight.tensor.type != "INT8" or any(map(_is_quantized, weight.readers)):
        return False
    return isinstance(examine(weight, SparsifyOptions()).outcome, Candidate)


def _is_quantized(operator: Operator) -> bool:
    weights = operator.inputs[1] if len(operator.inputs) > 1 else None
    return weights is not None and weights.type in _QUANTIZED


def outlook(before: dict[str, Prospect], after: dict[str, Prospect]) -> tuple[Outlook, ...]:
    """What a rewrite changes, by target."""
    return tuple(
        Outlook(
            target=name,
            before=was.outcome,
            after=after[name].outcome,
            # A wide convolution becomes several of 1x1.
            pointwise=max(was.pointwise, after[name].pointwise),
            sparse_before=was.sparse,
            sparse_after=after[name].sparse,
            share_before=was.share,
            share_after=after[name].share,
            dense_ms=was.dense_ms,
            before_ms=was.ms,
            after_ms=after[name].ms,
            instructions_before=_against_dense(was, was),
            instructions_after=_against_dense(was, after[name]),
        )
        for name, was in before.items()
    )


def _against_dense(was: Prospect, now: Prospect) -> InstructionEstimate | None:
    """The instructions of a model beside those of the original with dense weights."""
    pairs = zip(was.processors, now.processors, strict=False)
    both = [ProcessorEstimate(old.processor, old.dense, new.planned) for old, new in pairs]
    return over_processors(both) if both else None
