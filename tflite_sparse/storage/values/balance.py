"""Rounds a few values the other way, so that the errors of an output channel cancel.

Behind a RELU all inputs of a filter are positive, and much alike: what the errors of a channel sum
to shifts every value that it computes, and the next layers add such shifts up. On real nets that is
much of what rounding to the nearest costs (docs/stored-values.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["balanced"]

_LARGEST = 127


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
    steps = np.moveaxis(whole, axis, 0).reshape(scales.size, -1).astype(np.int16)
    errors = (real / scales[:, None]).astype(np.float64) - steps
    for channel in np.flatnonzero(np.abs(errors.sum(axis=1)) > 0.5):  # noqa: PLR2004 - of a step
        wanted = round(float(errors[channel].sum()))
        way = 1 if wanted > 0 else -1
        moved = steps[channel] + way
        may = (real[channel] != 0) & (np.abs(moved) <= _LARGEST) & (errors[channel] * way > 0)
        if keep_nonzero:
            may &= moved != 0
        places = np.flatnonzero(may)
        first = np.argsort(-errors[channel][places] * way, kind="stable")[: abs(wanted)]
        steps[channel, places[first]] += way
    shape = [whole.shape[axis], *(s for d, s in enumerate(whole.shape) if d != axis)]
    return np.ascontiguousarray(np.moveaxis(steps.astype(np.int8).reshape(shape), 0, axis))
