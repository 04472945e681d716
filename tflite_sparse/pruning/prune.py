"""From a dense model to a pruned one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.calibrated.calibrate import Calibrator
from tflite_sparse.pruning.calibrated.fitted import Fitted, by_magnitude, put_in, zeros_of
from tflite_sparse.pruning.channels.reorder import in_blocks
from tflite_sparse.pruning.densities import (
    check_clusters,
    check_overrides,
    kept_shares,
    least_zeros,
    with_numbers,
)
from tflite_sparse.pruning.edit import set_bias
from tflite_sparse.pruning.filters import find_filters
from tflite_sparse.pruning.nothing import is_stored_sparse, nothing_to_prune
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.result import PrunedFilter, PrunedModel, Pruning
from tflite_sparse.pruning.speed import speeds, zeros_for_size, zeros_for_speed
from tflite_sparse.pruning.trained import Start, fitted_inputs, train
from tflite_sparse.torch.training.options import DistillOptions
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.filters import Selected
    from tflite_sparse.rewrite.writing.proof import Expected
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["prune"]

_WITHOUT_DATA = (Method.MAGNITUDE, Allocation.UNIFORM, Allocation.ERK)
_UNKNOWN = "quality is unknown without --data; so many zeros by magnitude alone ruin most nets"


def prune(
    model: Model,
    options: PruneOptions,
    calibration: Sequence[Outputs] = (),
    *,
    labels: Sequence[int] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PrunedModel:
    """Sets weights to zero in the filters that `optimize` then makes run sparse.

    Everything else of the file stays as it is, but for biases with data: they make up for what the
    zeros change on average. Where blocks of output channels become zero together, channels whose
    order nobody sees are brought into one in which that costs least.

    Args:
        model: the dense model; it stays as it is.
        options: how many zeros, where, and how they are chosen.
        calibration: sets of inputs by position, as "0", to which values are fitted; without any,
            values are chosen by magnitude.
        labels: the class of each of them, for training; None for none.
        progress: is told what is worked on, how much is done, and of how much: filters, or batches
            of a training.

    Returns:
        The pruned model, stored dense, and what was done.

    Raises:
        UsageError: no filter can run sparse, or not with so many zeros; the options contradict
            each other, or name filters that are not pruned.
        RewriteError: the model cannot be written without loss.
        RuntimeUnavailableError: LiteRT, which runs the model on the data, is not installed; or
            PyTorch, which trains it.
        RuntimeFailureError: LiteRT does not run the model, or what a filter reads on the data is
            not finite.
    """
    method = options.method or (Method.CALIBRATED if len(calibration) else Method.MAGNITUDE)
    allocation = options.allocation or Allocation.UNIFORM
    if not len(calibration):
        _check_without_data(method, allocation)
    selected = _selected(model, options)
    options = with_numbers(selected, options)
    zeros = _zeros(model, selected, options)
    ordered = in_blocks(model, selected, options, zeros)
    selected = ordered.selected
    calibrator, fitted = None, fitted_inputs(calibration, method, options)
    if len(fitted):
        calibrator = Calibrator(ordered.model, selected, options, fitted, progress)

    def spread() -> list[float]:
        """The share of values that each filter keeps."""
        if calibrator is not None and allocation is Allocation.FIDELITY:
            kept = calibrator.allocate(zeros)
        else:
            kept = kept_shares(selected, zeros, allocation, options)
        check_clusters(selected, kept)
        return kept

    def begin() -> Start:
        """What training begins with; zeros that come by magnitude come while it goes."""
        kept, start, dense = spread(), ordered.model.copy(), ordered.model.copy()
        training = options.training or DistillOptions()
        if calibrator is not None and training.masks != "magnitude":
            fits = calibrator.fit(kept)
            _put_all(start, selected, fits)
            # Biases that shared their bytes have their own now, in either.
            for tensor, _ in filter(None, (fit.bias for fit in fits)):
                set_bias(dense, tensor, np.asarray(tensor.data))
        is_other = ordered.classes or len(dense.buffers) > len(ordered.model.buffers)
        return Start(start.to_bytes(), kept, dense.to_bytes() if is_other else None)

    fits_on = 0 if method is Method.MAGNITUDE else len(fitted)
    notes = _notes(ordered.classes, len(calibration))
    report = Pruning(
        method, allocation, options.block, 0, 0, (), selected.left, (), fits_on, None, notes
    )  # fmt: skip
    if method is Method.TRAIN:
        trained = train(model, selected, options, calibration, labels, begin, progress)
        twins = [p.weight.tensor.twin_in(trained.model) for p in selected.filters]
        fits = [Fitted(np.asarray(twin.data)) for twin in twins]
        report = msgspec.structs.replace(report, training=trained.report)
        distilled = PrunedModel(trained.model, report, tuple(trained.expected), trained.start)
        return _reported(distilled, selected, options, fits)
    kept = spread()
    if calibrator is not None and method is Method.CALIBRATED:
        fits = calibrator.fit(kept)
    else:
        fits = [
            by_magnitude(p, share, options.block)
            for p, share in zip(selected.filters, kept, strict=True)
        ]
    pruned = ordered.model.copy()
    expected = ordered.expected(pruned, _put_all(pruned, selected, fits))
    return _reported(PrunedModel(pruned, report, tuple(expected)), selected, options, fits)


def _notes(classes: int, inputs: int) -> tuple[str, ...]:
    """What there is to know beside numbers.

    Args:
        classes: number of sets of channels that have another order.
        inputs: number of inputs that values are fitted to.
    """
    notes = [] if inputs else [_UNKNOWN]
    if classes:
        notes.append(
            f"the channels of {count_of(classes, 'map')} are in another order, in which blocks"
            " cost least; nothing that the model computes depends on it"
        )
    return tuple(notes)


def _check_without_data(*ways: Method | Allocation) -> None:
    for way in ways:
        if way not in _WITHOUT_DATA:
            raise UsageError(f"{way} asks for data", hint="--data FOLDER gives inputs")


def _selected(model: Model, options: PruneOptions) -> Selected:
    """The filters to prune, one at least."""
    selected = find_filters(model, options)
    if not selected.filters or is_stored_sparse(selected):
        raise nothing_to_prune(selected)
    check_overrides(selected, options)
    return selected


def _zeros(model: Model, selected: Selected, options: PruneOptions) -> float:
    """The share of zeros in all filters together."""
    if options.zeros is not None:
        return options.zeros
    if options.speed is not None:
        zeros = zeros_for_speed(options.speed, model, selected)
    else:
        zeros = zeros_for_size(options.size or 0, model, selected, options)
    return max(zeros, *(least_zeros(selected, p.cluster) for p in selected.filters))


def _put_all(model: Model, selected: Selected, fits: Sequence[Fitted]) -> list[Expected]:
    return [
        expected
        for prunable, fit in zip(selected.filters, fits, strict=True)
        for expected in put_in(model, prunable, fit)
    ]


def _reported(
    pruned: PrunedModel, selected: Selected, options: PruneOptions, fits: Sequence[Fitted]
) -> PrunedModel:
    """The same with what was done to each filter, and what comes of it."""
    filters = tuple(
        PrunedFilter(
            prunable.id,
            prunable.size,
            zeros_of(fit.values),
            zeros_of(prunable.values),
            prunable.cluster,
            fit.error,
            fit.note,
        )
        for prunable, fit in zip(selected.filters, fits, strict=True)
    )
    views = speeds(pruned.model, options, selected.filters)
    notes = pruned.report.notes
    if any(view.sparse < len(filters) for view in views):
        notes = (*notes, "fewer filters run sparse than were pruned; optimize says why")
    report = msgspec.structs.replace(
        pruned.report,
        zeros=sum(f.zeros for f in filters),
        elements=sum(f.elements for f in filters),
        filters=filters,
        speed=views,
        notes=notes,
    )
    return msgspec.structs.replace(pruned, report=report)
