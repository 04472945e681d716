"""Pictures with a face, and how many of the faces a pruned detector finds.

The faces are 72 portraits of 128 pixels that a package of npm ships, pinned by its hash, and what
is around them are 50 photographs of the same package. Those with even numbers are fitted to, those
with odd ones tell the quality.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from benchmarks.pruning.boxes import LIKELY, SIDE, Found, box, grid, likeliest, overlap, pixels, run
from tflite_sparse.runtime.packages.package import Package, contents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Scenes", "face_inputs", "judge_faces"]

_PACKAGE = Package(
    "tabler-ui",
    "0.0.34",
    "sha512-1stQxEx9rfCDaBKh6cNF8boP4FvLERrLdeWj7FXJYgxhxeglaJaymN1bG2davVWysDVhaL20PoZT4RNBYVGCHA==",
)
_FACES, _PHOTOGRAPHS, _SMALL = "dist/demo/faces/", "dist/demo/photos/", "-500.jpg"
_ANCHORS = grid((48, 1))
_EMPTY = 8
"""One in so many of the scenes that are fitted to has no face."""

_SCENES = 256
_JUDGED = 144
_LEAST_FACE, _LEAST_PHOTOGRAPH = 0.2, 0.4
"""Least side of a portrait in a scene, and of the part of a photograph that is around it."""


def _halves(folder: str, ending: str) -> tuple[list[Image.Image], list[Image.Image]]:
    files = contents(_PACKAGE)
    names = sorted(name for name in files if name.startswith(folder) and name.endswith(ending))
    pictures = [Image.open(io.BytesIO(files[name])).convert("RGB") for name in names]
    return pictures[::2], pictures[1::2]


class Scenes:
    """Portraits of any size at any place of a photograph; each scene is the same each time.

    Args:
        count: how many scenes there are.
        fitted: whether they are there to be fitted to, or tell the quality.
        seed: of all that is drawn.
    """

    def __init__(self, count: int, *, fitted: bool, seed: int = 0) -> None:
        half = 0 if fitted else 1
        self._count, self._fitted, self._seed = count, fitted, seed
        self.portraits = _halves(_FACES, ".jpg")[half]
        self._photographs = _halves(_PHOTOGRAPHS, _SMALL)[half]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        rng = np.random.default_rng([self._seed, index])
        photograph = self._photographs[int(rng.integers(len(self._photographs)))]
        side = rng.uniform(_LEAST_PHOTOGRAPH, 1) * min(photograph.size)
        left, top = (rng.uniform(0, length - side) for length in photograph.size)
        around = (left, top, left + side, top + side)
        scene = photograph.resize((SIDE, SIDE), Image.Resampling.BILINEAR, around)
        if not (self._fitted and index % _EMPTY == _EMPTY - 1):
            portrait = self.portraits[index % len(self.portraits)]
            size = round(SIDE * float(np.exp(rng.uniform(np.log(_LEAST_FACE), 0))))
            portrait = portrait.resize((size, size), Image.Resampling.LANCZOS)
            if rng.random() < 1 / 2:
                portrait = ImageOps.mirror(portrait)
            at = rng.integers(0, SIDE - size + 1, 2)
            scene.paste(portrait, (int(at[0]), int(at[1])))
        return np.asarray(_input(scene)["0"], np.float32)


def _input(picture: Image.Image) -> Outputs:
    return pixels(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR), 127.5, 127.5)


def face_inputs(*, fitted: bool) -> list[Outputs]:
    """The portraits of a half as they are, and scenes with them."""
    scenes = Scenes(_SCENES if fitted else _JUDGED, fitted=fitted)
    return [_input(portrait) for portrait in scenes.portraits] + [
        {"0": scenes[index]} for index in range(len(scenes))
    ]


def judge_faces(dense: bytes, pruned: bytes, inputs: Sequence[Outputs]) -> dict[str, float]:
    """How many of the faces that the dense model finds another one finds, and how well.

    Returns:
        The number of faces; the share of them that is found still, with a box that overlaps by
        half; the mean overlap of these; the share of all whose likeliest box overlaps by half,
        whatever its score; and the mean score of both models, as a logit.
    """
    pairs = [
        (_face(one), _face(other))
        for one, other in zip(run(dense, inputs), run(pruned, inputs), strict=True)
    ]
    pairs = [(one, other) for one, other in pairs if one[0] >= LIKELY]
    overlaps = np.array([overlap(box(one), box(other)) for one, other in pairs])
    found = np.array([other[0] >= LIKELY for _, other in pairs])
    hits = found & (overlaps >= LIKELY)
    return {
        "faces": len(pairs),
        "recall": float(hits.mean()),
        "IoU": float(overlaps[hits].mean()) if hits.any() else 0.0,
        "placed": float((overlaps >= LIKELY).mean()),
        "dense score": float(np.mean([_logit(one[0]) for one, _ in pairs])),
        "score": float(np.mean([_logit(other[0]) for _, other in pairs])),
    }


def _face(outputs: list[np.ndarray]) -> Found:
    boxes, scores = outputs
    return likeliest(boxes, scores, _ANCHORS)


def _logit(score: float) -> float:
    score = min(max(score, 1e-9), 1 - 1e-9)
    return float(np.log(score / (1 - score)))
