"""Sweeps the nets that sparse inference was made known with, and holds predictions to measurements.

usage: python -m benchmarks.sweeps [--bench web|arm64] [--zeros 0.7 0.8 0.9] [NET ...]

For each net a line: how many times as fast it is predicted to be, or on arm64 by how many times
fewer instructions it takes, and how much smaller the file is, by the share of zeros; with --bench
what was measured, by time in a headless Chromium or by instructions on an emulated Cortex-A76. At
the end the median and the largest error of the prediction over all points that run sparse. Times
want a machine at rest; instructions do not care.

Sparse nets were announced as up to twice as fast and half the size at 70 to 80 % zeros, with a time
that falls in an almost straight line with the zeros.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.architectures import build
from tests.support.real_models import real_model
from tflite_sparse.errors import UsageError
from tflite_sparse.library.sweeps import sweep
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from tflite_sparse.runtime.benched import Here
    from tflite_sparse.sweeping.result import Sweep, SweepPoint

REAL = (
    "hand_landmark_full",
    "hand_landmark_lite",
    "selfie_segmentation",
    "selfie_segmentation_landscape",
)
BUILT = (
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_lite0",
)
WHERE: dict[str, Here] = {"web": "web", "arm64": "emulated"}
TARGETS = {"web": "wasm", "arm64": "arm64"}


def main() -> None:
    """Sweeps the nets and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("nets", nargs="*", default=[*REAL, *BUILT])
    parser.add_argument("--bench", choices=WHERE)
    parser.add_argument("--zeros", type=float, nargs="+", default=[0.7, 0.8, 0.9])
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    target = TARGETS.get(asked.bench, "wasm")
    print(f"| net | sparse from | zeros | file | int8 values | predicted, {target} | measured |")
    print("|---|---|---|---|---|---|---|")
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for net in asked.nets:
            path = _model(net, Path(folder))
            try:
                swept = sweep(
                    path,
                    shares=tuple(asked.zeros),
                    targets=("arm64", "wasm"),
                    bench=WHERE.get(asked.bench),
                    processes=asked.jobs,
                )
            except UsageError as error:
                print(f"| {net} | never: {str(error).partition(';')[0]} | | | | | |", flush=True)
                continue
            errors += _print(net, swept, target)
    if errors:
        print(f"\n{len(errors)} points run sparse: predicted gains are {_words(errors)}")


def _model(net: str, folder: Path) -> Path:
    if net in REAL:
        return real_model(net)
    path = folder / f"{net}.tflite"
    path.write_bytes(build(net, zeros=0.0))
    return path


def _print(net: str, swept: Sweep, target: str) -> list[float]:
    """A line for each share; the relative errors of the predicted gains."""
    threshold = next(t for t in swept.thresholds if t.target == target)
    start = "" if threshold.sparse_from is None else f"{threshold.sparse_from:.0%}"
    errors = []
    for point in swept.points[1:]:
        time = point.time(target)
        gain = None if point.measured is None else point.measured.gain
        won = time.fewer if time.gain is None else time.gain
        if time.sparse and gain and won:
            errors.append(won / gain - 1)
        cells = [
            net,
            start,
            f"{point.share:.0%}",
            _smaller(point, swept, StoredValues.FP32),
            _smaller(point, swept, StoredValues.INT8),
            "" if won is None else f"{won:.2f} times",
            "" if gain is None else f"{gain:.2f} times",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
        net = start = ""
    return errors


def _smaller(point: SweepPoint, swept: Sweep, values: StoredValues) -> str:
    return f"{point.size(values).bytes / swept.bytes - 1:+.0%}"


def _words(errors: list[float]) -> str:
    sizes = [abs(error) for error in errors]
    return (
        f"{statistics.median(sizes):.1%} off in the median, {max(sizes):.1%} at most,"
        f" {statistics.median(errors):+.1%} with their sign"
    )


if __name__ == "__main__":
    main()
