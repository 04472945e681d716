"""What the runtime will do with a file on each target, beside the model that is swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.uses import trace_constant
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.sweeping.result import PredictedTime
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["dense_times", "plans_of", "predicted", "sparse_filters"]

_QUANTIZED = frozenset({"INT8", "UINT8", "INT16"})
_MULTIPLIES = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})


def plans_of(model: Model, targets: Iterable[str]) -> dict[str, Plan]:
    """The plan of the main subgraph by target."""
    counts = ZeroCounts()
    return {name: plan(model.main, name, zeros=counts) for name in targets}


def dense_times(model: Model, targets: Iterable[str]) -> dict[str, float]:
    """Estimated milliseconds of a model on dense kernels, where somebody measured the target."""
    times = {}
    for name, planned in plans_of(model, targets).items():
        time = None if _is_quantized(model) else estimate(planned, model.main)
        if time is not None:
            times[name] = time.dense_ms
    return times


def predicted(
    model: Model, plans: Mapping[str, Plan], dense: Mapping[str, float]
) -> tuple[PredictedTime, ...]:
    """What will become of a file, by target.

    Args:
        model: the model in the file.
        plans: its plans by target.
        dense: milliseconds of the model that is swept, on dense kernels, by target.
    """
    quantized = _is_quantized(model)
    views = []
    for name, planned in plans.items():
        time = None if quantized else estimate(planned, model.main)
        before = dense.get(name)
        ms = None if time is None else time.planned_ms
        views.append(
            PredictedTime(
                target_of(name).name,
                planned.verdict.elsewhere,
                planned.verdict.pointwise,
                planned.verdict.sparse_pointwise,
                before,
                ms,
                before / ms if before and ms else None,
            )
        )
    return tuple(views)


def sparse_filters(model: Model, planned: Plan) -> frozenset[str]:
    """Names of the filters that sparse kernels multiply by."""
    names = set()
    for operator in planned.operators:
        if operator.kernel is not None:
            use = trace_constant(model.main.operators[operator.index], 1)
            if use is not None:
                names.add(use.constant.name)
    return frozenset(names)


def _is_quantized(model: Model) -> bool:
    """Whether it multiplies integers, for which there are no prices."""
    return any(
        operator.name in _MULTIPLIES
        and operator.inputs
        and (read := operator.inputs[0]) is not None
        and read.type in _QUANTIZED
        for operator in model.main.operators
    )
