"""What the runtime will do with a file on each target, beside the model that is swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.sweeping.result import PredictedTime
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.instructions import has_prices, instruction_estimate
from tflite_sparse.xnnpack.cost.prices import PLANNED_ON
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["Cost", "dense_costs", "plans_of", "predicted", "sparse_filters"]


class Cost(msgspec.Struct, frozen=True):
    """What a run takes by the estimate, where there is one.

    Attributes:
        ms: milliseconds.
        instructions: instructions on a Cortex-A76.
    """

    ms: float | None = None
    instructions: float | None = None


def plans_of(model: Model, targets: Iterable[str]) -> dict[str, Plan]:
    """The plan of the main subgraph by target."""
    counts = ZeroCounts()
    return {name: plan(model.main, name, zeros=counts) for name in targets}


def dense_costs(model: Model, targets: Iterable[str]) -> dict[str, Cost]:
    """What a run of a model takes on dense kernels, by target."""
    return {name: _costs(planned, model)[0] for name, planned in plans_of(model, targets).items()}


def predicted(
    model: Model, plans: Mapping[str, Plan], dense: Mapping[str, Cost]
) -> tuple[PredictedTime, ...]:
    """What will become of a file, by target.

    Args:
        model: the model in the file.
        plans: its plans by target.
        dense: what the model that is swept takes on dense kernels, by target.
    """
    views = []
    for name, planned in plans.items():
        cost = _costs(planned, model)[1]
        before = dense[name]
        views.append(
            PredictedTime(
                target_of(name).name,
                planned.verdict.elsewhere,
                planned.verdict.pointwise,
                planned.verdict.sparse_pointwise,
                before.ms,
                cost.ms,
                before.ms / cost.ms if before.ms and cost.ms else None,
                before.instructions,
                cost.instructions,
            )
        )
    return tuple(views)


def _costs(planned: Plan, model: Model) -> tuple[Cost, Cost]:
    """(what a run takes on dense kernels, as planned); integers have no prices."""
    if not has_prices(model.main):
        return Cost(), Cost()
    time = estimate(planned, model.main)
    counts = instruction_estimate(planned, model.main)
    on = {} if counts is None else {each.processor: each for each in counts.processors}
    counted = on.get(PLANNED_ON)
    ms = (None, None) if time is None else (time.dense_ms, time.planned_ms)
    each = (None, None) if counted is None else (counted.dense, counted.planned)
    return Cost(ms[0], each[0]), Cost(ms[1], each[1])


def sparse_filters(model: Model, planned: Plan) -> frozenset[str]:
    """Names of the filters that sparse kernels multiply by."""
    names = set()
    for operator in planned.operators:
        if operator.kernel is not None:
            use = trace_constant(model.main.operators[operator.index], 1)
            if use is not None:
                names.add(use.constant.name)
    return frozenset(names)
