"""An estimate of how long a model takes, dense and as planned, from a small cost model.

Every operator costs its multiplications, the elements that it writes and a fixed overhead. A sparse
1x1 convolution multiplies by the weights that are not zero only, at a price of the kernel that runs
it. The prices are fitted to measurements; where nobody has measured a target, there is no estimate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.records import Record
from tflite_sparse.xnnpack.cost.prices import COSTS, multiplication
from tflite_sparse.xnnpack.plan_types import Disposition, Outcome, Role

if TYPE_CHECKING:
    from tflite_sparse.model import Subgraph
    from tflite_sparse.xnnpack.cost.prices import Costs
    from tflite_sparse.xnnpack.plan import Plan
    from tflite_sparse.xnnpack.plan_types import FilterPlan, OperatorPlan

__all__ = ["Estimate", "estimate", "nanoseconds", "sparse_saving"]

_NS_PER_MS = 1e6


class Estimate(Record, frozen=True):
    """An estimate of the time of one run, never a measurement.

    Attributes:
        dense_ms: without the sparse path, in milliseconds.
        planned_ms: as the runtime runs it, in milliseconds.
        gain: how many times faster the second is.
        measured: what the estimate is fitted to.
    """

    dense_ms: float
    planned_ms: float
    gain: float
    measured: str


def estimate(plan: Plan, subgraph: Subgraph, costs: Costs | None = None) -> Estimate | None:
    """Estimates the time of a planned model.

    Args:
        plan: the plan of the subgraph.
        subgraph: the subgraph, for the sizes of its tensors.
        costs: prices to take; None for those that were measured on the target.

    Returns:
        The estimate; None where the target was never measured, the model does not run right, or it
        claims shapes for which no number of milliseconds would do.
    """
    costs = costs or COSTS.get(plan.target.processor)
    if costs is None or plan.verdict.elsewhere not in (Outcome.SPARSE, Outcome.DENSE):
        return None
    try:
        dense, planned = nanoseconds(plan, subgraph, costs)
    except OverflowError:
        return None
    if not math.isfinite(dense) or not math.isfinite(planned):
        return None
    dense_ms, planned_ms = dense / _NS_PER_MS, planned / _NS_PER_MS
    gain = dense_ms / planned_ms if planned_ms else 1.0
    return Estimate(dense_ms, planned_ms, gain, costs.measured)


def nanoseconds(plan: Plan, subgraph: Subgraph, costs: Costs) -> tuple[float, float]:
    """Nanoseconds that the dense model takes by some prices, and as planned.

    Raises:
        OverflowError: it claims shapes for which no number would do.
    """
    filters = {counted.operator: counted for counted in plan.filters}
    dense = planned = 0.0
    for op in plan.operators:
        if op.disposition in (Disposition.TFLITE, Disposition.EXECUTED):
            operator = subgraph.operators[op.index]
            elements = sum(math.prod(t.shape) for t in operator.outputs)
            cost = _dense(op, elements, costs) + costs.overhead
            dense += cost
            if op.kernel is not None:
                source = operator.inputs[0]
                writing = costs.writing(elements + (math.prod(source.shape) if source else 0))
                cost = _sparse(op, filters.get(op.index), costs)
                cost += elements * writing + costs.overhead
            elif op.nchw and op.macs:
                cost = op.macs * _in_layout(op, costs) + costs.overhead
            planned += cost
    return dense, planned


def sparse_saving(macs: int, channels: tuple[int, int], zeros: float, costs: Costs) -> float:
    """What the sparse kernel saves in a 1x1 convolution; negative where it costs more.

    In nanoseconds or instructions, as the prices are.

    Args:
        macs: multiplications of the dense convolution.
        channels: channels that it reads and that it writes.
        zeros: share of its weights that are zero, 0 to 1.
        costs: prices on the target.
    """
    inputs, outputs = channels
    writing = costs.writing(macs / inputs + macs / outputs)
    written = macs / inputs * (writing - costs.dense_written)
    return macs * costs.dense - macs * (1 - zeros) * costs.sparse - written


def _dense(op: OperatorPlan, elements: int, costs: Costs) -> float:
    if not op.macs:
        return elements * costs.moved
    price = costs.depthwise if op.name == "DEPTHWISE_CONV_2D" else costs.dense
    return op.macs * price


def _in_layout(op: OperatorPlan, costs: Costs) -> float:
    """Nanoseconds of a multiplication in the sparse layout, where its kernel skips no zeros."""
    if op.name == "DEPTHWISE_CONV_2D":
        return costs.depthwise_sparse
    return costs.entry if op.role is Role.ENTRY else costs.dense


def _sparse(op: OperatorPlan, counted: FilterPlan | None, costs: Costs) -> float:
    """Nanoseconds of the multiplications of a sparse kernel."""
    kept = op.macs * (1 - counted.zeros / (counted.parameters or 1)) if counted else op.macs
    return kept * multiplication(costs, op.kernel or 1)
