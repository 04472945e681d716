"""Errors of outputs in the terms of those who use a net: landmarks, boxes and masks.

Each compares what a net with rounded weights gives with what the net itself gives, on the same
inputs: not with the truth.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Arrays = Sequence[NDArray[np.float32]]
    Outputs = Mapping[str, Arrays]

__all__ = ["TERMS", "Term"]

_SIDES = 2
"""Landmarks begin with x and y."""
_BOX = 4
"""So do boxes, of their middle; then come width and height."""
_INSIDE = 0.5


class Term(NamedTuple):
    """An error of a net as its users see it.

    Attributes:
        words: what the number says.
        measure: gives it, of 1, from the outputs of the net and those with rounded weights.
    """

    words: str
    measure: Callable[[Outputs, Outputs], float]


def _landmarks(name: str, numbers: int, before: Outputs, after: Outputs) -> float:
    """Mean distance of landmarks, as a share of the longer side of the box around all of them."""
    shares = []
    for old, new in zip(before[name], after[name], strict=True):
        points, moved = (x.reshape(-1, numbers)[:, :_SIDES].astype(np.float64) for x in (old, new))
        side = np.ptp(points, axis=0).max()
        shares.append(np.linalg.norm(points - moved, axis=1).mean() / side)
    return float(np.mean(shares))


def _box(boxes: str, scores: str, before: Outputs, after: Outputs) -> float:
    """Mean distance of the edges of the box with the best score, as a share of its longer side."""
    shares = []
    for old, new, score in zip(before[boxes], after[boxes], before[scores], strict=True):
        best = int(score.reshape(-1).argmax())
        one, other = (x.reshape(score.size, -1)[best, :_BOX].astype(np.float64) for x in (old, new))
        apart = np.abs(_edges(one) - _edges(other)).mean()
        shares.append(apart / np.abs(one[_SIDES:]).max())
    return float(np.mean(shares))


def _edges(box: NDArray[np.float64]) -> NDArray[np.float64]:
    middle, size = box[:_SIDES], box[_SIDES:]
    return np.concatenate([middle - size / 2, middle + size / 2])


def _in_common(name: str, before: Outputs, after: Outputs) -> float:
    """Pixels in both masks, as a share of those in either, over all inputs."""
    masks = [np.stack(outputs[name]) > _INSIDE for outputs in (before, after)]
    either = np.count_nonzero(masks[0] | masks[1])
    return np.count_nonzero(masks[0] & masks[1]) / either if either else 1.0


_OF_FACE = "landmarks: mean distance, of the longer side of all of them"
_OF_BOX = "edges of the best box: mean distance, of its longer side"
TERMS = {
    "face_landmark": Term(_OF_FACE, partial(_landmarks, "conv2d_20", 3)),
    "hand_landmark_full": Term(_OF_FACE, partial(_landmarks, "Identity", 3)),
    "pose_landmark_full": Term(_OF_FACE, partial(_landmarks, "Identity", 5)),
    "palm_detection_full": Term(_OF_BOX, partial(_box, "Identity", "Identity_1")),
    "face_detection_short_range": Term(_OF_BOX, partial(_box, "regressors", "classificators")),
    "pose_detection": Term(_OF_BOX, partial(_box, "Identity", "Identity_1")),
    "selfie_segmentation": Term(
        "mask: pixels in both, of those in either", partial(_in_common, "activation_10")
    ),
}
"""By the name of the net."""
