"""What pruning leaves of two nets of MediaPipe: a face detector and a hand tracker.

Run as: python -m benchmarks.pruning.detectors face --steps 100 --rate 1e-3
        python -m benchmarks.pruning.detectors hand FITTED JUDGED

Faces come from a package, and hands are found in two folders of photographs: one half or folder is
fitted to, the other tells the quality, always beside the dense model. The sparse face detector that
Google made and trained is the bar. With --steps, what calibration leaves at 80 % is trained too.
Results are kept in `detectors.json` beside this file, and stand in `docs/pruning.md`.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.pruning.detected import FACE, HAND, keep
from benchmarks.pruning.faces import Scenes, face_inputs, judge_faces
from benchmarks.pruning.hands import hand_inputs, judge_hands
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.prune import prune

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.pruning.result import PrunedModel
    from tflite_sparse.runtime.observations import Outputs

    Measure = Callable[[bytes, bytes, Sequence[Outputs]], dict[str, float]]

_TRAINED = 0.8
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
    net: str, fitted: Sequence[Outputs], judged: Sequence[Outputs], measure: Measure
) -> PrunedModel:
    """Keeps what each way leaves.

    Returns:
        What the last way leaves at 80 %, from which training goes on.
    """
    model = Model.read(real_model(net))
    for method, allocation, shares in _WAYS:
        for zeros in shares:
            before = time.process_time()
            options = PruneOptions(zeros=zeros, method=method, allocation=allocation)
            pruned = prune(model, options, () if method is Method.MAGNITUDE else fitted)
            spent = time.process_time() - before
            found = measure(model.to_bytes(), pruned.model.to_bytes(), judged)
            found |= timed(pruned) | {"fitted": len(fitted), "seconds": spent}
            keep(net, f"{method}, {allocation}, {zeros * 100:.0f} %", found)
            if zeros == _TRAINED:
                start = pruned
    return start


def train(start: Model, steps: int, rate: float) -> Model:
    """What training on scenes makes of a pruned face detector."""
    import torch

    from tflite_sparse.torch import DistillOptions, distill

    torch.set_num_threads(1)
    dense = Model.read(real_model(FACE))
    shares = {
        f"#{tensor.index}": float(np.mean(np.asarray(tensor.data) == 0))
        for tensor in start.main.tensors
        if tensor.is_constant and len(tensor.shape) == 4
    }
    options = DistillOptions(
        zeros=0.0,
        zeros_of={name: share for name, share in shares.items() if share > 1 / 2},
        steps=steps,
        learning_rate=rate,
        held_out=0.02,
        evaluate=max(steps // 6, 1),
    )
    scenes: Any = Scenes(steps * options.batch, fitted=True, seed=1)
    return distill(dense, scenes, options, start=start).model


def main() -> None:
    """Keeps the results of one net."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=["face", "hand"])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3)
    asked = parser.parse_args()
    if asked.net == "hand":
        palms = real_model("palm_detection_full").read_bytes()
        fitted, judged = (
            hand_inputs(palms, folder, fitted=fits)
            for folder, fits in zip(asked.folders, (True, False), strict=True)
        )
        judge_all(HAND, fitted, judged, judge_hands)
        return
    dense = real_model(FACE).read_bytes()
    judged = face_inputs(fitted=False)
    google = real_model(f"{FACE}_sparse").read_bytes()
    keep(FACE, "Google's own", judge_faces(dense, google, judged))
    start = judge_all(FACE, face_inputs(fitted=True), judged, judge_faces)
    if asked.steps:
        before = time.process_time()
        trained = train(start.model, asked.steps, asked.rate)
        spent = time.process_time() - before
        found = judge_faces(dense, trained.to_bytes(), judged)
        found |= timed(start) | {"images": 32 * asked.steps, "seconds": spent}
        keep(FACE, f"trained, {_TRAINED * 100:.0f} %", found)


if __name__ == "__main__":
    main()
