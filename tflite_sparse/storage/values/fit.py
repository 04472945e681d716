"""Scales and rounding that change least what a filter computes, by least squares.

An error e of the weights of an output channel changes the mean square of its outputs by e @ H @ e,
where H are the second moments of what the filter reads. Three steps make that small:

1. Values are rounded one column after the other, each to the nearest, and those that are still to
   be rounded make up for its error (GPTQ, Frantar et al. 2023).
2. The best scale for these whole numbers has a closed form.
3. Each number moves to the best one that it can be while the others stay, until few do.

The last two never make the error larger. Zeros stay zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.storage.values.quantize import dequantized, storable
from tflite_sparse.storage.values.rounding import ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.storage.moments.moments import Moments

    Numbers = NDArray[np.float64]

__all__ = ["Fit", "fitted"]

_LARGEST = 127

# Columns between whose rounding the others are not brought up to date.
_BLOCK = 64

_SWEEPS = 4
_FEW = 1e-3
"""Share of the values: when fewer move, the rest would gain nothing."""

_DAMPING = 1e-3
"""Share of the mean square of the inputs that counts for each alone, seen or not."""


class Fit(msgspec.Struct, frozen=True, eq=False):
    """A weight as int8.

    Attributes:
        whole: the whole numbers, in the shape of the weight.
        scales: of the channels, shape (channels,).
        snr: ratio of the power of all that its operator computes, without the bias, to that of the
            differences, in dB; None where there are none.
        nearest_snr: the same of what the fit began with.
    """

    whole: NDArray[np.int8]
    scales: NDArray[np.float32]
    snr: float | None
    nearest_snr: float | None


def fitted(
    weight: NDArray[np.floating[Any]],
    nearest: NDArray[np.int8],
    scales: NDArray[np.float32],
    axis: int,
    moments: Moments,
    *,
    keep_nonzero: bool = False,
) -> Fit:
    """A weight as int8, such that its operator computes nearly the same.

    Args:
        weight: the dense weight; its values are finite.
        nearest: the same as int8 without a look at any data; it stays where nothing is better.
        scales: of its channels, shape (channels,).
        axis: the dimension of the channels.
        moments: of what each group of channels reads.
        keep_nonzero: whether a value that would become zero becomes 1 or -1.
    """
    real = _rows(weight, axis, moments)
    steps, fits = _fit(real, scales.reshape(real.shape[:2]), _metric(moments), keep=keep_nonzero)
    shape = [weight.shape[axis], *(n for place, n in enumerate(weight.shape) if place != axis)]
    whole = np.ascontiguousarray(np.moveaxis(steps.astype(np.int8).reshape(shape), 0, axis))
    fitted = storable(fits.reshape(-1))
    power = _power(real, moments)
    noises = [
        _power(real - _rows(dequantized(values, factors, axis), axis, moments), moments)
        for values, factors in ((whole, fitted), (nearest, scales))
    ]
    if not noises[0] < noises[1]:
        whole, fitted, noises[0] = nearest, scales, noises[1]
    return Fit(whole, fitted, ratio(power, noises[0]), ratio(power, noises[1]))


def _fit(
    real: Numbers, scales: NDArray[np.float32], metric: Numbers, *, keep: bool
) -> tuple[Numbers, Numbers]:
    """Whole numbers and scales."""
    factors = scales.astype(np.float64)
    steps = _fed_back(real, factors, metric, keep=keep)
    factors = _best_scales(real, steps, factors, metric)
    _settle(real, steps, factors, metric, keep=keep)
    return steps, _best_scales(real, steps, factors, metric)


def _power(rows: Numbers, moments: Moments) -> float:
    """Sum of squares of all that weights compute."""
    return max(0.0, float(np.vdot(rows @ moments.second, rows)))


def _rows(weight: NDArray[Any], axis: int, moments: Moments) -> Numbers:
    """The weight with a row for each output channel, shape (groups, channels, columns)."""
    groups, _, columns = moments.second.shape
    rows = np.moveaxis(weight, axis, 0).reshape(groups, -1, columns)
    return rows.astype(np.float64)


def _metric(moments: Moments) -> Numbers:
    """Second moments that can be trusted: the fewer positions, the more all columns count alike."""
    mean, metric = moments.mean, moments.covariance
    columns = mean.shape[1]
    unknown = columns / (moments.count + columns)
    diagonal = np.arange(columns)
    power = np.maximum(metric[:, diagonal, diagonal], 0)
    alike = (power + np.square(mean)).mean(axis=1, keepdims=True)
    metric *= 1 - unknown
    metric[:, diagonal, diagonal] = (1 - unknown) * power + unknown * alike
    mean = (1 - unknown) * mean + unknown * mean.mean(axis=1, keepdims=True)
    metric += mean[:, :, None] * mean[:, None, :]
    metric[:, diagonal, diagonal] += np.where(alike > 0, _DAMPING * alike, 1)
    # Sums of float32 products are symmetric but for rounding, which an inverse would magnify.
    return (metric + metric.swapaxes(1, 2)) / 2


def _blocks(columns: int) -> Iterator[slice]:
    for first in range(0, columns, _BLOCK):
        yield slice(first, min(first + _BLOCK, columns))


def _nearest(steps: Numbers, real: Numbers, *, keep: bool) -> Numbers:
    """Steps as whole numbers that can be stored, 0 where the weight is."""
    whole = np.clip(np.rint(steps), -_LARGEST, _LARGEST)
    if keep:
        whole = np.where(whole == 0, np.sign(real), whole)
    return np.where(real == 0, 0, whole)


def _fed_back(real: Numbers, scales: Numbers, metric: Numbers, *, keep: bool) -> Numbers:
    """Rounds one column after the other; the next ones make up for the errors."""
    upper = _feedback(metric)
    left, steps = real.copy(), np.zeros_like(real)
    for block in _blocks(real.shape[2]):
        part, inner = left[:, :, block], upper[:, block, block]
        errors = np.zeros_like(part)
        for column in range(part.shape[2]):
            place = block.start + column
            whole = _nearest(part[:, :, column] / scales, real[:, :, place], keep=keep)
            steps[:, :, place] = whole
            apart = (part[:, :, column] - whole * scales) / inner[:, column, column, None]
            errors[:, :, column] = apart
            part[:, :, column:] -= apart[:, :, None] * inner[:, column, None, column:]
        left[:, :, block.stop :] -= errors @ upper[:, block, block.stop :]
    return steps


def _feedback(metric: Numbers) -> Numbers:
    """How a column's error is spread over those behind it: the upper Cholesky factor of inverses.

    Sums of inputs of very different sizes are rounded by more than the damping of the small ones;
    then these get as much as makes the matrix invertible.
    """
    try:
        return _upper_of_inverse(metric)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(metric)[:, :1]
        columns = np.arange(metric.shape[1])
        power = metric[:, columns, columns].mean(axis=1, keepdims=True)
        raised = metric.copy()
        raised[:, columns, columns] += np.maximum(_DAMPING * power - least, 0)
        return _upper_of_inverse(raised)


def _upper_of_inverse(metric: Numbers) -> Numbers:
    """The upper U with U.T @ U as the inverse: itself the inverse of the upper V with V @ V.T."""
    lower = np.linalg.cholesky(np.ascontiguousarray(metric[:, ::-1, ::-1]))
    return np.asarray(np.linalg.inv(lower)[:, ::-1, ::-1])


def _best_scales(real: Numbers, steps: Numbers, scales: Numbers, metric: Numbers) -> Numbers:
    """The scale of each channel that fits its whole numbers best; the old one where none does."""
    weighed = steps @ metric
    along = np.einsum("gck,gck->gc", weighed, real)
    length = np.einsum("gck,gck->gc", weighed, steps)
    fits = (along > 0) & (length > 0)
    best = np.divide(along, length, out=scales.copy(), where=fits)
    return storable(best).astype(np.float64)


def _settle(real: Numbers, steps: Numbers, scales: Numbers, metric: Numbers, *, keep: bool) -> None:
    """Moves each number to the best one while the others stay, several times."""
    pulls = (real - scales[:, :, None] * steps) @ metric
    for _ in range(_SWEEPS):
        moved = 0
        for block in _blocks(real.shape[2]):
            pull, inner = pulls[:, :, block].copy(), metric[:, block, block]
            before = steps[:, :, block].copy()
            for column in range(pull.shape[2]):
                place = block.start + column
                wanted = pull[:, :, column] / (scales * inner[:, column, column, None])
                wanted += steps[:, :, place]
                whole = _nearest(wanted, real[:, :, place], keep=keep)
                by = scales * (whole - steps[:, :, place])
                steps[:, :, place] = whole
                pull -= by[:, :, None] * inner[:, column, None, :]
            changes = steps[:, :, block] - before
            moved += int(np.count_nonzero(changes))
            pulls -= (scales[:, :, None] * changes) @ metric[:, block, :]
        if moved <= _FEW * real.size:
            return
