"""What zeros in one filter do to the outputs, measured with all other filters dense."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.pruning.allocate import GRID, Curve
from tflite_sparse.pruning.calibrated.solve import Sums, solve
from tflite_sparse.pruning.densities import MOST_KEPT
from tflite_sparse.pruning.edit import bias_of, set_bias, set_filter
from tflite_sparse.pruning.filters import reading
from tflite_sparse.pruning.masks import smallest
from tflite_sparse.pruning.measures import loss
from tflite_sparse.runtime.activations.capture import filter_moments
from tflite_sparse.runtime.litert.driver import run_many
from tflite_sparse.storage.moments.reads import filter_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.filters import Prunable, Selected
    from tflite_sparse.runtime.observations import Outputs
    from tflite_sparse.storage.moments.moments import Moments

__all__ = ["loss_curves"]

_INPUTS = 48
_FEWEST = 0.6
_LEAST = 1e-9
_TIMEOUT = 600.0


def loss_curves(
    model: Model, selected: Selected, inputs: Sequence[Outputs], kept: float, block: int
) -> list[Curve]:
    """The loss of each filter for the share of values that it keeps.

    Each filter is pruned alone, to one share, and the model runs on a few inputs: that is the loss
    at this share. How it grows to others is told by the power of the differences of what the filter
    computes. That holds for shares that are near: losses of filters pruned alone do not add up, and
    a filter that hardly loses alone must not lose everything. Nor is one left dense, which would
    not pay in the sparse layout.

    Args:
        model: the dense model.
        selected: the filters.
        inputs: sets of inputs by position; a few of them are used.
        kept: the share at which it is measured.
        block: output channels that become zero together.
    """
    few = inputs[:: max(1, len(inputs) // _INPUTS)][:_INPUTS]
    dense = model.copy().to_bytes()
    operators = [reading(p.weight) for p in selected.filters]
    reads = [None if op is None else filter_read(op) for op in operators]
    measured = filter_moments(dense, [read for read in reads if read is not None], few)
    moments = [None if read is None else measured.get(read) for read in reads]
    shapes = [
        _errors(prunable.values, moment, block)
        for prunable, moment in zip(selected.filters, moments, strict=True)
    ]

    def jobs() -> Iterator[tuple[bytes, Sequence[Outputs]]]:
        yield dense, few
        for prunable, moment in zip(selected.filters, moments, strict=True):
            yield _alone(model, prunable, moment, kept, block), few

    results = run_many(jobs(), timeout=_TIMEOUT)
    there = next(results).trials
    losses = [loss(there, result.trials) for result in results]
    curves = []
    shares = _near(kept)
    for prunable, measured_loss, shape in zip(selected.filters, losses, shapes, strict=True):
        at = max(float(np.interp(kept, GRID, shape)), _LEAST)
        near = np.interp(shares, GRID, shape)
        scaled = [max(measured_loss, _LEAST) * float(value) / at for value in near]
        curves.append(Curve(scaled, shares, prunable.size))
    return curves


def _near(kept: float) -> list[float]:
    """The shares of values that a filter may keep where the filters keep `kept` together."""
    few, many = _FEWEST * kept, min(MOST_KEPT * kept, 1.0)
    return [few, *(share for share in GRID if few < share < many), many]


def _errors(values: NDArray[np.float32], moment: Moments | None, block: int) -> list[float]:
    """Power of the differences of what a filter computes, at each share of `GRID`."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    metric = np.eye(rows.shape[1])
    if moment is not None and len(moment.second) == 1:
        metric = moment.covariance[0]
    worth = np.square(rows) * np.maximum(np.diagonal(metric), _LEAST)
    errors = []
    for share in GRID:
        lost = np.where(smallest(worth, 1 - share, block), rows, 0)
        errors.append(float(np.einsum("rc,rc->", lost @ metric, lost)))
    return errors


def _alone(
    model: Model, prunable: Prunable, moment: Moments | None, kept: float, block: int
) -> bytes:
    """The model with this filter pruned."""
    pruned = model.copy()
    values = prunable.values
    operator = reading(prunable.weight)
    if moment is None or operator is None or len(moment.second) != 1:
        mask = smallest(np.square(values), 1 - kept, block)
        set_filter(pruned, prunable.weight, np.where(mask, np.float32(0), values))
        return pruned.to_bytes()
    rows = values.reshape(len(values), -1).astype(np.float64)
    bias = bias_of(operator)
    fit = solve(rows, _sums(rows, moment), kept, block, centred=bias is not None)
    set_filter(pruned, prunable.weight, fit.rows.reshape(values.shape))
    if bias is not None and bias.data is not None:
        set_bias(pruned, bias, np.asarray(bias.data, np.float64) + fit.shift)
    return pruned.to_bytes()


def _sums(rows: NDArray[np.float64], moment: Moments) -> Sums:
    """Those of a filter that reads in the pruned model what it does in the dense one."""
    products = np.asarray(moment.second[0], np.float64)
    read = np.asarray(moment.first[0], np.float64)
    together = rows @ products
    power = np.einsum("rc,rc->r", together, rows)
    return Sums(moment.count, read, products, rows @ read, power, together)
