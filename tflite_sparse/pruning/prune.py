"""From a dense model to a pruned one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.calibrated.calibrate import Calibrator
from tflite_sparse.pruning.calibrated.fitted import by_magnitude, put_in, zeros_of
from tflite_sparse.pruning.densities import (
    check_clusters,
    check_overrides,
    kept_shares,
    least_zeros,
)
from tflite_sparse.pruning.filters import find_filters
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.result import PrunedFilter, PrunedModel, Pruning
from tflite_sparse.pruning.speed import speeds, zeros_for_size, zeros_for_speed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.calibrated.fitted import Fitted
    from tflite_sparse.pruning.filters import Selected
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["prune"]

_UNKNOWN = "quality is unknown without --data; so many zeros by magnitude alone ruin most nets"


def prune(
    model: Model,
    options: PruneOptions,
    calibration: Sequence[Outputs] = (),
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> PrunedModel:
    """Sets weights to zero in the filters that `optimize` then makes run sparse.

    Everything else of the file stays as it is, but for biases with data: they make up for what the
    zeros change on average.

    Args:
        model: the dense model; it stays as it is.
        options: how many zeros, where, and how they are chosen.
        calibration: sets of inputs by position, as "0", to which values are fitted; without any,
            values are chosen by magnitude.
        progress: is told which filter is worked on, how many are done, and of how many.

    Returns:
        The pruned model, stored dense, and what was done.

    Raises:
        UsageError: no filter can run sparse, or not with so many zeros; the options contradict
            each other, or name filters that are not pruned.
        RewriteError: the model cannot be written without loss.
        RuntimeUnavailableError: LiteRT, which runs the model on the data, is not installed.
        RuntimeFailureError: LiteRT does not run the model, or what a filter reads on the data is
            not finite.
    """
    method = options.method or (Method.CALIBRATED if len(calibration) else Method.MAGNITUDE)
    allocation = options.allocation or Allocation.UNIFORM
    if not len(calibration) and (method is Method.CALIBRATED or allocation is Allocation.FIDELITY):
        wanted = method if method is Method.CALIBRATED else allocation
        raise UsageError(f"{wanted} asks for data", hint="--data FOLDER gives inputs")
    selected = find_filters(model, options)
    if not selected.filters:
        why = next((left.reason for left in selected.left if left.code == "dense"), None)
        raise UsageError(
            "no filter of the model would run sparse, so that zeros win nothing"
            + (f": {why}" if why else ""),
            hint="tflite-sparse optimize --dry-run says what stands in the way",
        )
    check_overrides(selected, options)
    zeros = options.zeros
    if zeros is None:
        if options.speed is not None:
            zeros = zeros_for_speed(options.speed, model, selected)
        else:
            zeros = zeros_for_size(options.size or 0, selected)
        zeros = max(zeros, *(least_zeros(selected, p.cluster) for p in selected.filters))
    calibrator = None
    if len(calibration):
        calibrator = Calibrator(model, selected, options, calibration, progress)
    if calibrator is not None and allocation is Allocation.FIDELITY:
        kept = calibrator.allocate(zeros)
    else:
        kept = kept_shares(selected, zeros, allocation, options)
    check_clusters(selected, kept)
    if calibrator is not None and method is Method.CALIBRATED:
        fitted = calibrator.fit(kept)
        notes: tuple[str, ...] = ()
    else:
        fitted = [
            by_magnitude(p, share, options.block)
            for p, share in zip(selected.filters, kept, strict=True)
        ]
        notes = () if calibrator is not None else (_UNKNOWN,)
    return _result(
        model,
        selected,
        options,
        fitted,
        Pruning(
            method,
            allocation,
            options.block,
            0,
            0,
            (),
            selected.left,
            (),
            len(calibration),
            None,
            notes,
        ),
    )


def _result(
    model: Model,
    selected: Selected,
    options: PruneOptions,
    fitted: Sequence[Fitted],
    report: Pruning,
) -> PrunedModel:
    pruned = model.copy()
    expected = []
    filters = []
    for prunable, fit in zip(selected.filters, fitted, strict=True):
        expected += put_in(pruned, prunable, fit)
        zeros = zeros_of(fit.values)
        filters.append(
            PrunedFilter(
                prunable.id,
                prunable.size,
                zeros,
                zeros_of(prunable.values),
                prunable.cluster,
                fit.error,
                fit.note,
            )
        )
    views = speeds(pruned, options)
    notes = report.notes
    if any(view.sparse < len(filters) for view in views):
        notes = (*notes, "fewer filters run sparse than were pruned; optimize says why")
    report = msgspec.structs.replace(
        report,
        zeros=sum(f.zeros for f in filters),
        elements=sum(f.elements for f in filters),
        filters=tuple(filters),
        speed=views,
        notes=notes,
    )
    return PrunedModel(pruned, report, tuple(expected))
