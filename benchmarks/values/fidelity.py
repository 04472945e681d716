"""How near int8 weights come on photographs: rounded alone, and fitted to other photographs.

usage: python -m benchmarks.values.fidelity FITTED JUDGING [--fitted 48] [--judging 48] [NAME ...]

FITTED and JUDGING are folders of images, which must not share any; pillow reads them. NAMEs are
those of real models of the tests, or efficientnet_lite0; without any, all that have a range below.
The result is the table of docs/stored-values.md, and lines with the errors in users' terms.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.efficientnet_lite0 import efficientnet_lite0
from benchmarks.values.in_user_terms import TERMS
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.activations.calibrate import calibrated
from tflite_sparse.runtime.compare_outputs import paired
from tflite_sparse.runtime.fidelity import output_fidelity
from tflite_sparse.runtime.inputs import input_specs
from tflite_sparse.runtime.litert.driver import Job, run_jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.fidelity import OutputFidelity
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Outputs

_TIMEOUT = 1800.0
_RANGES = {
    "efficientnet_lite0": (-127 / 128, 1.0),
    "face_landmark": (0.0, 1.0),
    "hand_landmark_full": (0.0, 1.0),
    "palm_detection_full": (0.0, 1.0),
    "face_detection_short_range": (-1.0, 1.0),
    "pose_detection": (-1.0, 1.0),
    "pose_landmark_full": (0.0, 1.0),
    "selfie_segmentation": (0.0, 1.0),
}
"""What black and white are to each net."""


class _Judged(NamedTuple):
    """One output of a net with rounded weights, and with fitted ones."""

    rounded: OutputFidelity
    fitted: OutputFidelity


class _Net(NamedTuple):
    """A net with rounded weights, and with fitted ones.

    Attributes:
        outputs: each of its outputs.
        term: the error in users' terms, rounded and fitted; None where there is none.
    """

    outputs: list[_Judged]
    term: tuple[float, float] | None


def _images(
    folder: Path, count: int, spec: InputSpec, limits: tuple[float, float]
) -> list[Outputs]:
    """Images from all over a folder, of the size and in the range that a net takes."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = paths[:: max(1, len(paths) // count)][:count]
    low, high = limits
    feeds: list[Outputs] = []
    for path in chosen:
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((spec.shape[2], spec.shape[1]))
        values = np.asarray(resized, np.float32) / 255 * (high - low) + low
        feeds.append({spec.key: values[None].astype(np.float32)})
    return feeds


def judge(name: str, fitted: tuple[Path, int], judging: tuple[Path, int], folder: Path) -> _Net:
    """A net with rounded and with fitted weights, against the net as it is."""
    path = folder / f"{name}.tflite"
    lite = name == "efficientnet_lite0"
    path.write_bytes(efficientnet_lite0() if lite else real_model(name).read_bytes())
    (spec,) = input_specs(Model.read(path))
    seen, unseen = (_images(*part, spec, _RANGES[name]) for part in (fitted, judging))
    models = [path]
    for kind, calibration in (("rounded", None), ("fitted", calibrated(seen))):
        models.append(folder / f"{name}_{kind}.tflite")
        save(SparsifyValues(calibration=calibration).run(Model.read(path)), models[-1])
    runs = list(run_jobs([Job(model, unseen) for model in models], timeout=_TIMEOUT))
    sides = [paired(runs[0].trials, run.trials)[0] for run in runs[1:]]
    outputs = [
        _Judged(output_fidelity(*one), output_fidelity(*other))
        for one, other in zip(*sides, strict=True)
    ]
    term = None
    if name in TERMS:
        before = {output: values for output, values, _ in sides[0]}
        afters = [{output: values for output, _, values in side} for side in sides]
        rounded, nearer = (TERMS[name].measure(before, after) for after in afters)
        term = rounded, nearer
    return _Net(outputs, term)


def _row(name: str, judged: _Judged) -> str:
    cells = [name, judged.rounded.name]
    for side in judged:
        snr = "exact" if side.snr is None else f"{side.snr:.1f} dB"
        cells += [f"{100 * side.share:.2g} %", snr, f"{100 * side.argmax:.1f} %"]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fitted_folder", type=Path, metavar="FITTED")
    parser.add_argument("judging_folder", type=Path, metavar="JUDGING")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--fitted", type=int, default=48, metavar="N")
    parser.add_argument("--judging", type=int, default=48, metavar="N")
    asked = parser.parse_args(arguments)
    for name in asked.names or _RANGES:
        with tempfile.TemporaryDirectory() as work:
            fitted = (asked.fitted_folder, asked.fitted)
            judging = (asked.judging_folder, asked.judging)
            net = judge(name, fitted, judging, Path(work))
        for judged in net.outputs:
            print(_row(name, judged), flush=True)
        if net.term is not None:
            words, (rounded, nearer) = TERMS[name].words, net.term
            print(f"{name}: {words}: {rounded:.2%} rounded, {nearer:.2%} fitted", flush=True)


if __name__ == "__main__":
    main()
