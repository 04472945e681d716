"""What MediaPipe's detectors of faces and of palms put out, as boxes and points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.runtime.litert.driver import Job, run_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["LIKELY", "SIDE", "Found", "box", "grid", "likeliest", "overlap", "pixels", "run"]

SIDE = 192
"""Pixels of a side of the input of both detectors."""

LIKELY = 0.5
"""From this score on something counts as found, as in MediaPipe."""

_AT_ONCE = 64

Found = tuple[float, np.ndarray]
"""A score, and what goes with it in shares of the input: centre and size of a box, then points."""


def pixels(picture: Image.Image, mean: float, std: float) -> Outputs:
    """The input of a model that is as large as the picture."""
    return {"0": (np.asarray(picture, np.float32)[None] - mean) / std}


def run(model: bytes, inputs: Sequence[Outputs]) -> list[list[np.ndarray]]:
    """The outputs for each input, in the order of the model."""
    results = []
    for start in range(0, len(inputs), _AT_ONCE):
        (result,) = run_jobs([Job(model, inputs[start : start + _AT_ONCE])], timeout=600.0)
        assert result.ok, result.detail
        results += [list(trial.values()) for trial in result.trials]
    return results


def grid(*maps: tuple[int, int]) -> np.ndarray:
    """Centres of anchors: (cells a side, anchors a cell) for each map."""
    parts = []
    for cells, anchors in maps:
        along = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(along, along, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), anchors, 0))
    return np.concatenate(parts)


def likeliest(boxes: np.ndarray, scores: np.ndarray, centres: np.ndarray) -> Found:
    """What a detector is surest of."""
    scores = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -80, 80)))
    at = int(scores.argmax())
    points = (boxes.reshape(len(scores), -1)[at] / SIDE).reshape(-1, 2)
    points[np.arange(len(points)) != 1] += centres[at]
    return float(scores[at]), points


def box(found: Found) -> np.ndarray:
    """Its left, top, right and lower edge."""
    centre, size = found[1][:2]
    return np.concatenate([centre - size / 2, centre + size / 2])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(inner, 0)))
    areas = sum(float(np.prod(edges[2:] - edges[:2])) for edges in (one, other))
    return common / (areas - common) if common else 0.0
