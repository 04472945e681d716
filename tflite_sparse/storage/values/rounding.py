"""What storing a weight in other numbers did to its values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rounding", "ratio", "rounding"]

_PART = 1 << 17


class Rounding(Record, frozen=True):
    """How the values of a weight changed when they were stored in other numbers.

    Attributes:
        values: the numbers in which it is stored now.
        scales: number of scales; 0 for fp16.
        snr: ratio of the weight's power to that of the differences, in dB; None where there is no
            difference.
        largest: the largest difference of a value.
        raised: values that would have become zero, and became the smallest number that is not.
        lost: values that became zero.
        output_snr: ratio of the power of what its operators compute, without biases, to that of the
            differences, in dB, on the data to which it was fitted; None without data.
        nearest_snr: the same as it would be without data.
    """

    values: StoredValues
    scales: Count
    snr: float | None
    largest: Amount
    raised: Count
    lost: Count
    output_snr: float | None = None
    nearest_snr: float | None = None


def rounding(
    before: NDArray[Any],
    after: NDArray[Any],
    values: StoredValues,
    scales: NDArray[np.float32] | None,
    steps: NDArray[Any],
) -> Rounding:
    """Compares a weight with what the runtime will compute of it.

    Args:
        before: the dense weight.
        after: what the runtime makes of what is stored, shape as `before`.
        values: the numbers in which it is stored.
        scales: of the channels, None for fp16.
        steps: the size of one step about zero for each value, broadcast to `before`.
    """
    power = noise = largest = 0.0
    raised = lost = 0
    wide = np.broadcast_to(steps, before.shape)
    rows = max(1, _PART // max(1, before[:1].size))
    for top in range(0, len(before), rows):
        part = slice(top, top + rows)
        old, new = before[part].astype(np.float64), after[part].astype(np.float64)
        apart = np.abs(old - new)
        power += float(np.square(old).sum())
        noise += float(np.square(apart).sum())
        largest = max(largest, float(apart.max(initial=0.0)))
        lost += int(np.count_nonzero((new == 0) & (old != 0)))
        raised += int(np.count_nonzero((new != 0) & (np.abs(old) <= wide[part] / 2)))
    snr = ratio(power, noise)
    return Rounding(values, 0 if scales is None else scales.size, snr, largest, raised, lost)


def ratio(power: float, noise: float) -> float | None:
    """Power to noise in dB; None where one of them is 0."""
    return 10 * math.log10(power / noise) if noise > 0 and power > 0 else None
