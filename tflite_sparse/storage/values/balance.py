"""Rounds a few values the other way, so that the errors of an output channel cancel.

Behind a RELU all inputs of a filter are positive, and much alike: what the errors of a channel sum
to shifts every value that it computes, and the next layers add such shifts up. On real nets that is
much of what rounding to the nearest costs (docs/stored-values.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.storage.values.least import least

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["balanced"]

_LARGEST = 127
_PART = 1 << 18


def balanced(
    weight: NDArray[np.floating[Any]],
    whole: NDArray[np.int8],
    scales: NDArray[np.float32],
    axis: int,
    *,
    keep_nonzero: bool = False,
) -> NDArray[np.int8]:
    """Moves values of each channel by one step until its errors sum to half a step at most.

    Those move that were nearest to being rounded the other way; zeros of the weight stay zeros.

    Args:
        weight: the dense weight.
        whole: the same as int8, each value rounded to the nearest.
        scales: of each channel, shape (channels,).
        axis: the dimension of the channels.
        keep_nonzero: whether no value may become zero.
    """
    real = np.moveaxis(weight, axis, 0).reshape(scales.size, -1)
    steps = np.moveaxis(whole, axis, 0).reshape(scales.size, -1).copy()
    rows = max(1, _PART // max(1, real.shape[1]))
    for top in range(0, scales.size, rows):
        part = slice(top, top + rows)
        _balance(real[part], steps[part], scales[part], keep_nonzero=keep_nonzero)
    shape = [whole.shape[axis], *(s for d, s in enumerate(whole.shape) if d != axis)]
    return np.ascontiguousarray(np.moveaxis(steps.reshape(shape), 0, axis))


def _balance(
    real: NDArray[np.floating[Any]],
    steps: NDArray[np.int8],
    scales: NDArray[np.float32],
    *,
    keep_nonzero: bool,
) -> None:
    """The same for some channels, shape (channels, n), in place."""
    errors = (real / scales[:, None]).astype(np.float64) - steps
    sums = errors.sum(axis=1)
    for channel in np.flatnonzero(np.abs(sums) > 0.5):  # noqa: PLR2004 - of a step
        wanted = round(float(sums[channel]))
        way = 1 if wanted > 0 else -1
        # The less, the nearer to being rounded the other way; zeros have no error.
        gains = errors[channel] * -way
        # A step from 127 leads to none of int8.
        gains[steps[channel] == way * _LARGEST] = 0
        if keep_nonzero:
            gains[steps[channel] == -way] = 0
        steps[channel, least(gains, abs(wanted)) & (gains < 0)] += np.int8(way)
