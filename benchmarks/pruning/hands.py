"""Crops of photographs with a hand, and how far the landmarks of a pruned tracker are off.

Crops are what MediaPipe cuts out around a palm that its detector finds: turned upright, 2.6 times
as large as the palm, and moved up by half of it. The photographs are those of the Sign Language
Digits Dataset (2,062, by 218 people), of which one half is fitted to; no package ships them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from benchmarks.pruning.boxes import LIKELY, SIDE, grid, likeliest, pixels, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Hands", "judge_hands"]

_HAND = 224
_LANDMARKS = 21
_LARGER, _UP = 2.6, 0.5
_WRIST, _MIDDLE = 2, 4
"""Places of the wrist and of the root of the middle finger behind the box of a palm."""

_PICTURE = 512
_EVERY, _APART = 4, 10
_MOVED, _SCALED, _TURNED = 0.08, 0.2, 0.4
"""How far hands at random are moved, in sides, scaled, as a logarithm, and turned, in radians."""

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


def _halves(folder: str) -> tuple[list[Path], list[Path]]:
    """Every fourth photograph of a folder, by the number in its name: the first, the second half.

    In the Sign Language Digits Dataset ten that follow one another are of one person. Two or three
    of each person are here, and none of those in the middle, who could be in both halves.
    """
    ending = (".jpg", ".jpeg")
    paths = [path for path in Path(folder).rglob("*") if path.suffix.lower() in ending]
    paths.sort(key=lambda path: (int("0" + "".join(filter(str.isdigit, path.stem))), path))
    middle, apart = len(paths) // 2, _APART
    return paths[: middle - apart : _EVERY], paths[middle + apart :: _EVERY]


def _crop(points: np.ndarray, side: int) -> _Crop:
    """What is around a palm."""
    centre, size = points[0] * side, points[1] * side
    x, y = points[_MIDDLE] - points[_WRIST]
    turned = float(np.pi / 2 - np.arctan2(-y, x))
    centre = centre + _UP * size[1] * np.array([np.sin(turned), -np.cos(turned)])
    return _Crop(centre, _LARGER * float(size.max()), turned)


class Hands:
    """Hands in photographs: each as MediaPipe cuts it out, then at random, the same each time.

    Args:
        palms: the detector of palms.
        folder: the photographs; hands are of those of one half in which a palm is found.
        fitted: whether they are there to be fitted to, or tell the quality.
        count: how many hands there are, the first of them one of each photograph as it is; None
            for no more than these.
        seed: of all that is drawn.
    """

    def __init__(
        self, palms: bytes, folder: str, *, fitted: bool, count: int | None = None, seed: int = 0
    ) -> None:
        paths = _halves(folder)[0 if fitted else 1]
        pictures = [ImageOps.fit(Image.open(p).convert("RGB"), (_PICTURE,) * 2) for p in paths]
        inputs = [pixels(picture.resize((SIDE, SIDE)), 0, 255) for picture in pictures]
        found = [likeliest(boxes, scores, _PALMS) for boxes, scores in run(palms, inputs)]
        self._crops = [
            (picture, _crop(points, _PICTURE))
            for picture, (score, points) in zip(pictures, found, strict=True)
            if score >= LIKELY
        ]
        self._count = len(self._crops) if count is None else count
        self._seed = seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        picture, crop = self._crops[index % len(self._crops)]
        if index < len(self._crops):
            return np.asarray(pixels(crop.of(picture), 0, 255)["0"], np.float32)
        rng = np.random.default_rng([self._seed, index])
        part = _Crop(
            crop.centre + crop.side * rng.uniform(-_MOVED, _MOVED, 2),
            crop.side * float(np.exp(rng.uniform(-_SCALED, _SCALED))),
            crop.turned + float(rng.uniform(-_TURNED, _TURNED)),
        ).of(picture)
        if rng.random() < 1 / 2:
            part = ImageOps.mirror(part)
        return np.asarray(pixels(part, 0, 255)["0"], np.float32)


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
