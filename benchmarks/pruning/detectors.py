"""What pruning leaves of two nets of MediaPipe: a face detector and a hand tracker.

Run as: python -m benchmarks.pruning.detectors FITTED JUDGED

Both arguments are folders of photographs. Those in which the dense model finds a face, or the palm
detector a hand, are the inputs: pictures of the first folder, and their mirror images, are fitted
to, those of the second tell the quality, always beside the dense model. Faces: the share of those
that the dense model finds that are found still, with boxes that overlap by half, and the mean
overlap (IoU) of these. Hands: mean distance of the 21 landmarks in the picture, as a share of the
diagonal of the hand, where the dense model sees a hand. The sparse detector that Google made and
trained is the bar.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.runtime.litert.driver import Job, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.runtime.observations import Outputs

_FACE, _PALM, _HAND = 192, 192, 224
_LIKELY = 0.5
_LANDMARKS = 21
_OTHERS = 64
_ZEROS = (0.7, 0.8)

Box = np.ndarray
Measure = dict[str, float]


def squares(folder: str) -> list[Image.Image]:
    """The middle of every photograph, as a square of 512 pixels."""
    paths = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    return [ImageOps.fit(Image.open(path).convert("RGB"), (512, 512)) for path in paths]


def pixels(picture: Image.Image, size: int, mean: float, std: float) -> Outputs:
    """An input of a model."""
    values = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR), np.float32)
    return {"0": (values[None] - mean) / std}


def run(model: bytes, inputs: Sequence[Outputs]) -> list[list[np.ndarray]]:
    """The outputs for each input, in the order of the model."""
    results = []
    for start in range(0, len(inputs), 64):
        (result,) = run_jobs([Job(model, inputs[start : start + 64])], timeout=600.0)
        assert result.ok, result.detail
        results += [list(trial.values()) for trial in result.trials]
    return results


def best(boxes: np.ndarray, scores: np.ndarray, centres: np.ndarray) -> tuple[float, Box]:
    """The likeliest box, as (left, top, right, bottom) in shares of the input."""
    scores = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -80, 80)))
    at = int(scores.argmax())
    raw = boxes.reshape(len(scores), -1)[at, :4] / _FACE
    centre, half = centres[at] + raw[:2], raw[2:] / 2
    return float(scores[at]), np.concatenate([centre - half, centre + half])


def grid(*maps: tuple[int, int]) -> np.ndarray:
    """Centres of anchors: (cells a side, anchors a cell) for each map."""
    parts = []
    for cells, anchors in maps:
        along = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(along, along, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), anchors, 0))
    return np.concatenate(parts)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(inner, 0)))
    areas = sum(float(np.prod(box[2:] - box[:2])) for box in (one, other))
    return common / (areas - common) if common else 0.0


FACES, PALMS = grid((48, 1)), grid((24, 2), (12, 6))


def faces(model: bytes, inputs: Sequence[Outputs]) -> list[tuple[float, Box]]:
    """The likeliest face in each input."""
    return [best(boxes, scores, FACES) for boxes, scores in run(model, inputs)]


def judge_faces(dense: bytes, pruned: bytes, inputs: Sequence[Outputs]) -> Measure:
    """How many of the faces that the dense model finds another one finds, and how well."""
    pairs = [
        (one, other)
        for one, other in zip(faces(dense, inputs), faces(pruned, inputs), strict=True)
        if one[0] >= _LIKELY
    ]
    overlaps = [overlap(one[1], other[1]) for one, other in pairs if other[0] >= _LIKELY]
    hits = [value for value in overlaps if value >= _LIKELY]
    return {
        "faces": len(pairs),
        "recall": len(hits) / len(pairs),
        "IoU of hits": float(np.mean(hits)) if hits else 0.0,
    }


def judge_hands(dense: bytes, pruned: bytes, inputs: Sequence[Outputs]) -> Measure:
    """How far landmarks are from those of the dense model, and how often a hand is seen still."""
    apart, seen = [], []
    for one, other in zip(run(dense, inputs), run(pruned, inputs), strict=True):
        if float(one[1].reshape(())) < _LIKELY:
            continue
        there, here = (x[0].reshape(_LANDMARKS, 3)[:, :2] for x in (one, other))
        size = float(np.linalg.norm(there.max(0) - there.min(0)))
        apart.append(float(np.linalg.norm(there - here, axis=1).mean()) / size)
        seen.append(float(other[1].reshape(())) >= _LIKELY)
    return {
        "hands": len(apart),
        "error": float(np.mean(apart)),
        "median error": float(np.median(apart)),
        "seen still": float(np.mean(seen)),
    }


def face_inputs(dense: bytes, pictures: Sequence[Image.Image], *, fitted: bool) -> list[Outputs]:
    """Pictures with a face; to fit to, their mirror images and some others too."""
    inputs = [pixels(picture, _FACE, 127.5, 127.5) for picture in pictures]
    likely = [found[0] >= _LIKELY for found in faces(dense, inputs)]
    chosen = [x for x, has in zip(inputs, likely, strict=True) if has]
    if not fitted:
        return chosen
    others = [x for x, has in zip(inputs, likely, strict=True) if not has]
    mirrored = [{"0": np.ascontiguousarray(x["0"][:, :, ::-1])} for x in chosen]
    return chosen + mirrored + others[:_OTHERS]


def hand_inputs(palms: bytes, pictures: Sequence[Image.Image], *, fitted: bool) -> list[Outputs]:
    """What is around the palm that is found in a picture."""
    found = run(palms, [pixels(picture, _PALM, 0, 255) for picture in pictures])
    chosen = []
    for picture, (boxes, scores) in zip(pictures, found, strict=True):
        score, box = best(boxes, scores, PALMS)
        if score < _LIKELY:
            continue
        centre, side = (box[:2] + box[2:]) / 2, 2.6 * float((box[2:] - box[:2]).max())
        left, top = (round(float(c)) for c in (centre - side / 2) * picture.width)
        edge = round(side * picture.width)
        crop = picture.crop((left, top, left + edge, top + edge))
        chosen.append(pixels(crop, _HAND, 0, 255))
        if fitted:
            chosen.append(pixels(ImageOps.mirror(crop), _HAND, 0, 255))
    return chosen


def rows(
    name: str,
    fitted: Sequence[Outputs],
    judged: Sequence[Outputs],
    measure: Callable[[bytes, bytes, Sequence[Outputs]], Measure],
    others: dict[str, bytes],
) -> None:
    """Prints what each method leaves at each share of zeros."""
    model = Model.read(real_model(name))
    dense = model.to_bytes()
    print(f"{name}: fitted to {len(fitted)} inputs, judged on {len(judged)}")
    for words, data in others.items():
        print(f"  {words}: {_words(measure(dense, data, judged))}")
    for zeros in _ZEROS:
        for method, spread in (
            (Method.MAGNITUDE, Allocation.UNIFORM),
            (Method.CALIBRATED, Allocation.UNIFORM),
        ):
            options = PruneOptions(zeros=zeros, method=method, allocation=spread)
            made = prune(model, options, () if method is Method.MAGNITUDE else fitted)
            speed = made.report.speed[-1]
            found = _words(measure(dense, made.model.to_bytes(), judged))
            print(
                f"  {zeros:.0%}, {method}, {spread}: {found}, {speed.sparse} of"
                f" {len(made.report.filters)} filters sparse, {speed.dense_ms or 0:.1f} to"
                f" {speed.ms or 0:.1f} ms on {speed.target}"
            )
            sys.stdout.flush()


def _words(measure: Measure) -> str:
    return ", ".join(
        f"{name} {value:.3f}" if isinstance(value, float) else f"{value} {name}"
        for name, value in measure.items()
    )


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fitted")
    parser.add_argument("judged")
    asked = parser.parse_args()
    fitted, judged = squares(asked.fitted), squares(asked.judged)
    detector = real_model("face_detection_full_range").read_bytes()
    google = real_model("face_detection_full_range_sparse").read_bytes()
    rows(
        "face_detection_full_range",
        face_inputs(detector, fitted, fitted=True),
        face_inputs(detector, judged, fitted=False),
        judge_faces,
        {"Google's own sparse one": google},
    )
    palms = real_model("palm_detection_full").read_bytes()
    rows(
        "hand_landmark_full",
        hand_inputs(palms, fitted, fitted=True),
        hand_inputs(palms, judged, fitted=False),
        judge_hands,
        {},
    )


if __name__ == "__main__":
    main()
