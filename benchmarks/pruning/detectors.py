"""What pruning leaves of three nets of MediaPipe: for faces, hands, and masks around people.

Run as: python -m benchmarks.pruning.detectors face --steps 96
        python -m benchmarks.pruning.detectors hand FOLDER --steps 48
        python -m benchmarks.pruning.detectors mask --steps 48

Portraits come from a package, and hands are found in a folder of photographs: one half is fitted
to, the other tells the quality, always beside the dense model. The sparse face detector that
Google made and trained is the bar. With --steps, what calibration leaves is trained too.
Results are kept in `detectors.json` beside this file, and stand in
`docs/pruned-detectors.md`.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from benchmarks.pruning.detected import FACE, HAND, MASK, keep
from benchmarks.pruning.faces import Scenes, face_inputs, judge_faces
from benchmarks.pruning.hands import Hands, judge_hands
from benchmarks.pruning.masks import Portraits, judge_masks
from benchmarks.pruning.zeros import zeros_of
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.torch.training.options import DistillOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.pruning.result import PrunedModel
    from tflite_sparse.runtime.observations import Outputs

    Measure = Callable[[bytes, bytes, Sequence[Outputs]], dict[str, float]]
    Train = Callable[[Model, Model], Model]

_TRAINED = (0.7, 0.8)
_FITTED, _JUDGED = 400, 144
"""Hands or portraits that are fitted to, and portraits that tell the quality."""

_WAYS = (
    (Method.MAGNITUDE, Allocation.UNIFORM, (0.7, 0.8)),
    (Method.CALIBRATED, Allocation.UNIFORM, (0.7, 0.8)),
    (Method.CALIBRATED, Allocation.FIDELITY, (0.7, 0.8, 0.75)),
)


def timed(pruned: PrunedModel) -> dict[str, float]:
    """What is estimated for the browser."""
    speed = pruned.report.speed[-1]
    return {
        "sparse": speed.sparse,
        "filters": len(pruned.report.filters),
        "dense ms": speed.dense_ms or 0.0,
        "ms": speed.ms or 0.0,
    }


def judge_all(
    net: str,
    fitted: Sequence[Outputs],
    judged: Sequence[Outputs],
    measure: Measure,
    train: Train | None,
) -> None:
    """Keeps what each way leaves, and what training makes of that."""
    dense = real_model(net)
    model = Model.read(dense)
    for method, allocation, shares in _WAYS:
        for zeros in shares:
            before = time.process_time()
            options = PruneOptions(zeros=zeros, method=method, allocation=allocation)
            pruned = prune(model, options, () if method is Method.MAGNITUDE else fitted)
            found = timed(pruned) | {"fitted": len(fitted), "seconds": time.process_time() - before}
            found = measure(dense.read_bytes(), pruned.model.to_bytes(), judged) | found
            keep(net, f"{method}, {allocation}, {zeros * 100:.0f} %", found)
            if train is None or method is Method.MAGNITUDE or zeros not in _TRAINED:
                continue
            before = time.process_time()
            trained = train(model, pruned.model)
            found = timed(pruned) | {"seconds": time.process_time() - before}
            found = measure(dense.read_bytes(), trained.to_bytes(), judged) | found
            keep(net, f"trained, {allocation}, {zeros * 100:.0f} %", found)


def train(dense: Model, start: Model, *, samples: Any, options: DistillOptions) -> Model:
    """What training makes of a pruned model."""
    import torch

    from tflite_sparse.torch import distill

    torch.set_num_threads(1)
    return distill(dense, samples, replace(options, zeros_of=zeros_of(start)), start=start).model


def main() -> None:
    """Keeps the results of one net."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=["face", "hand", "mask"])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--rate", type=float, default=3e-4)
    asked = parser.parse_args()
    steps = max(asked.steps, 1)
    options = DistillOptions(
        zeros=0.0,
        masks="fixed",
        steps=steps,
        learning_rate=asked.rate,
        held_out=0.02,
        evaluate=-(-steps // 6),
    )
    count = steps * options.batch
    samples: Any
    if asked.net == "hand":
        palms = real_model("palm_detection_full").read_bytes()
        fitted = as_inputs(Hands(palms, asked.folder, fitted=True, count=_FITTED))
        judged = as_inputs(Hands(palms, asked.folder, fitted=False))
        samples = Hands(palms, asked.folder, fitted=True, count=count, seed=1)
        net, measure = HAND, judge_hands
    elif asked.net == "mask":
        fitted = as_inputs(Portraits(_FITTED, fitted=True))
        judged = as_inputs(Portraits(_JUDGED, fitted=False))
        samples = Portraits(count, fitted=True, seed=1)
        net, measure = MASK, judge_masks
    else:
        fitted, judged = face_inputs(fitted=True), face_inputs(fitted=False)
        samples = Scenes(count, fitted=True, seed=1)
        net, measure = FACE, judge_faces
        dense, google = (real_model(name).read_bytes() for name in (FACE, f"{FACE}_sparse"))
        keep(FACE, "Google's own", judge_faces(dense, google, judged))
    trains = partial(train, samples=samples, options=options) if asked.steps else None
    judge_all(net, fitted, judged, measure, trains)


def as_inputs(pictures: Hands | Portraits) -> list[Outputs]:
    """Pictures as inputs by position."""
    return [{"0": pictures[index]} for index in range(len(pictures))]


if __name__ == "__main__":
    main()
