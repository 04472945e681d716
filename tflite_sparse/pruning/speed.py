"""What becomes of a pruned model on the targets, and how many zeros a speed takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.inspection.file.gzip_size import written_sizes
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.pruning.calibrated.fitted import by_magnitude, put_in
from tflite_sparse.pruning.filters import TRIED, numbered, sparse_parts
from tflite_sparse.pruning.result import Speed
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.filters import Prunable, Selected
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.xnnpack.plan import Plan

__all__ = ["speeds", "zeros_for_size", "zeros_for_speed"]

_BYTE = 256


def speeds(model: Model, options: PruneOptions, filters: Sequence[Prunable]) -> tuple[Speed, ...]:
    """What `optimize` will make of a pruned model, by target.

    Args:
        model: the pruned model; it stays as it is.
        options: the targets.
        filters: what is pruned. A filter runs sparse where each part that is made of it does.
    """
    targets = options.targets or TARGETS
    named = numbered(model, [prunable.weight for prunable in filters])
    optimized, counts = Optimize(AdaptOptions(targets)).run(named).model, ZeroCounts()
    views = []
    for name in targets:
        planned = plan(optimized.main, name, zeros=counts)
        before = plan(model.main, name, zeros=counts)
        time, dense = _time(planned, optimized), _time(before, model)
        parts = sparse_parts(optimized, planned)
        views.append(
            Speed(
                target_of(name).name,
                len(parts.clusters.keys() - parts.dense.keys()),
                None if dense is None else dense[0],
                None if time is None else time[1],
            )
        )
    return tuple(views)


def _time(planned: Plan, model: Model) -> tuple[float, float] | None:
    """Milliseconds dense and as planned; None where nobody measured the target."""
    time = estimate(planned, model.main)
    return None if time is None else (time.dense_ms, time.planned_ms)


def zeros_for_speed(speed: float, model: Model, selected: Selected) -> float:
    """The share of zeros with which a model is so many times as fast as dense.

    The estimate falls with every zero by a fixed price, so that one trial tells it.

    Args:
        speed: how many times as fast, on the first target.
        model: the dense model.
        selected: the filters.

    Raises:
        UsageError: not even with all weights zero would it be so fast.
    """
    target, trial = selected.target, selected.trial
    before = selected.planning.run(plan(model.main, target), model.main)
    after = selected.planning.run(plan(trial.main, target), trial.main)
    if before is None or after is None:
        raise UsageError(f"there is no estimate for it on {target}", hint="ask by --zeros")
    dense, planned = before[0], after[1]
    priced = sum(p.price * p.size for p in selected.filters)
    fixed = planned - (1 - TRIED) * priced
    share = 1 - (dense / speed - fixed) / priced
    if share >= 1:
        most = f"{dense / fixed:.2f} times the speed"
        if selected.planning.counts(target):
            most = f"{dense / fixed:.2f} times fewer instructions"
        raise UsageError(
            f"on {target} it comes to {most} at most, by the estimate, not to {speed:g} times",
            hint="ask for less, or by --zeros",
        )
    return share


def zeros_for_size(size: int, model: Model, selected: Selected, options: PruneOptions) -> float:
    """The share of zeros with which the optimized file has so many bytes.

    Args:
        size: the bytes.
        model: the dense model.
        selected: the filters.
        options: the targets, and what is pruned together.

    Raises:
        UsageError: not even with all weights zero would it be so small.
    """
    trial, _ = written_sizes(_tried(model, selected, options))
    stored = sum(p.size * _bytes_of_value(p) for p in selected.filters)
    fixed = trial - (1 - TRIED) * stored
    share = 1 - (size - fixed) / stored
    if share >= 1:
        raise UsageError(
            f"the rest of the file takes {fixed:,.0f} bytes, more than {size:,}",
            hint="ask for a larger size; --values int8 of optimize makes the rest smaller",
        )
    return share


def _tried(model: Model, selected: Selected, options: PruneOptions) -> Model:
    """The optimized model with `TRIED` zeros in what is pruned, and in nothing else."""
    if all(left.code != "dense" for left in selected.left):
        return selected.trial
    pruned = model.copy()
    for prunable in selected.filters:
        put_in(pruned, prunable, by_magnitude(prunable, 1 - TRIED, options.block))
    return Optimize(AdaptOptions(options.targets or TARGETS)).run(pruned).model


def _bytes_of_value(prunable: Prunable) -> int:
    """Bytes that a value takes that is not zero: its own and those of its column."""
    tensor = prunable.weight.tensor
    return (2 if tensor.type == "FLOAT16" else 4) + (1 if tensor.shape[3] <= _BYTE else 2)
