"""Crops of photographs with a hand, and how far the landmarks of a pruned tracker are off.

Crops are what MediaPipe cuts out around a palm that its detector finds: turned upright, 2.6 times
as large as the palm, and moved up by half of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from benchmarks.pruning.boxes import LIKELY, SIDE, grid, likeliest, pixels, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["hand_inputs", "judge_hands"]

_HAND = 224
_LANDMARKS = 21
_LARGER, _UP = 2.6, 0.5
_WRIST, _MIDDLE = 2, 4
"""Places of the wrist and of the root of the middle finger behind the box of a palm."""

_PALMS = grid((24, 2), (12, 6))


class _Crop(NamedTuple):
    """A square of a picture: centre and side in pixels, and by what angle it is turned."""

    centre: np.ndarray
    side: float
    turned: float

    def of(self, picture: Image.Image) -> Image.Image:
        """The part of a picture, as large as the input of the tracker."""
        along = self.side / _HAND * np.array([np.cos(self.turned), np.sin(self.turned)])
        across = np.array([-along[1], along[0]])
        corner = self.centre - (along + across) * _HAND / 2
        rows = (along[0], across[0], corner[0], along[1], across[1], corner[1])
        how = Image.Transform.AFFINE
        return picture.transform((_HAND, _HAND), how, rows, Image.Resampling.BILINEAR)


def _squares(folder: str) -> list[Image.Image]:
    """The middle of every photograph, as a square of 512 pixels."""
    paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    return [ImageOps.fit(Image.open(path).convert("RGB"), (512, 512)) for path in paths]


def _crop(points: np.ndarray, side: int) -> _Crop:
    """What is around a palm."""
    centre, size = points[0] * side, points[1] * side
    x, y = points[_MIDDLE] - points[_WRIST]
    turned = float(np.pi / 2 - np.arctan2(-y, x))
    centre = centre + _UP * size[1] * np.array([np.sin(turned), -np.cos(turned)])
    return _Crop(centre, _LARGER * float(size.max()), turned)


def hand_inputs(palms: bytes, folder: str, *, fitted: bool) -> list[Outputs]:
    """What is around the palms that are found in the photographs of a folder.

    Args:
        palms: the detector of palms.
        folder: the photographs.
        fitted: whether each is there once more: mirrored, turned a little, and smaller.
    """
    pictures = _squares(folder)
    inputs = [pixels(picture.resize((SIDE, SIDE)), 0, 255) for picture in pictures]
    chosen = []
    for picture, (boxes, scores) in zip(pictures, run(palms, inputs), strict=True):
        score, points = likeliest(boxes, scores, _PALMS)
        if score >= LIKELY:
            crop = _crop(points, picture.width)
            chosen += [pixels(part, 0, 255) for part in _parts(picture, crop, fitted=fitted)]
    return chosen


def _parts(picture: Image.Image, crop: _Crop, *, fitted: bool) -> Iterator[Image.Image]:
    yield crop.of(picture)
    if fitted:
        mirrored = crop._replace(turned=crop.turned - 0.3, side=crop.side * 0.9).of(picture)
        yield ImageOps.mirror(mirrored)


def judge_hands(dense: bytes, pruned: bytes, inputs: Sequence[Outputs]) -> dict[str, float]:
    """How far landmarks are from those of the dense model, and how often a hand is seen still.

    Returns:
        The number of hands that the dense model sees; mean and median distance of the landmarks in
        the picture, as a share of the diagonal of the hand; and the share of hands seen still.
    """
    apart, seen = [], []
    for one, other in zip(run(dense, inputs), run(pruned, inputs), strict=True):
        if float(one[1].reshape(())) < LIKELY:
            continue
        there, here = (x[0].reshape(_LANDMARKS, 3)[:, :2] for x in (one, other))
        size = float(np.linalg.norm(there.max(0) - there.min(0)))
        apart.append(float(np.linalg.norm(there - here, axis=1).mean()) / size)
        seen.append(float(other[1].reshape(())) >= LIKELY)
    return {
        "hands": len(apart),
        "error": float(np.mean(apart)),
        "median": float(np.median(apart)),
        "seen": float(np.mean(seen)),
    }
