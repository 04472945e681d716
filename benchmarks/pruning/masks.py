"""Parts of portraits, and how much of the masks around people a pruned net keeps.

The portraits are those of `faces`, of which one half is fitted to and the other tells the quality.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from benchmarks.pruning.boxes import LIKELY, pixels, run
from benchmarks.pruning.faces import Scenes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Portraits", "judge_masks"]

_MASK = 256
_LEAST = 0.6
"""Least share of the side of a portrait that is seen."""


class Portraits:
    """Portraits, each as it is, then parts of them at random, the same each time.

    Args:
        count: how many there are.
        fitted: whether they are there to be fitted to, or tell the quality.
        seed: of all that is drawn.
    """

    def __init__(self, count: int, *, fitted: bool, seed: int = 0) -> None:
        self._portraits = Scenes(1, fitted=fitted).portraits
        self._count, self._seed = count, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        part = self._portraits[index % len(self._portraits)]
        if index >= len(self._portraits):
            rng = np.random.default_rng([self._seed, index])
            side = rng.uniform(_LEAST, 1) * min(part.size)
            left, top = (rng.uniform(0, length - side) for length in part.size)
            box = (left, top, left + side, top + side)
            part = part.resize((_MASK, _MASK), Image.Resampling.BILINEAR, box)
            if rng.random() < 1 / 2:
                part = ImageOps.mirror(part)
        part = part.resize((_MASK, _MASK), Image.Resampling.BILINEAR)
        return np.asarray(pixels(part, 0, 255)["0"], np.float32)


def judge_masks(dense: bytes, pruned: bytes, inputs: Sequence[Outputs]) -> dict[str, float]:
    """How near masks are to those of the dense model.

    Returns:
        The number of pictures; pixels in both masks, as a share of those in either; the same
        where the mask has least in common; and the mean difference of the values.
    """
    common, off = [], []
    for (one,), (other,) in zip(run(dense, inputs), run(pruned, inputs), strict=True):
        there, here = one >= LIKELY, other >= LIKELY
        either = np.count_nonzero(there | here)
        common.append(np.count_nonzero(there & here) / either if either else 1.0)
        off.append(float(np.abs(one - other).mean()))
    return {
        "pictures": len(common),
        "IoU": float(np.mean(common)),
        "worst": float(np.min(common)),
        "off": float(np.mean(off)),
    }
