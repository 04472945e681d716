"""Holds nets with zeros against dense and int8 files of them: by size, time and what they compute.

usage: python -m benchmarks.rivals DATA [--zeros 0.7 0.8] [--bench web|arm64] [NET ...]

NET is a model of the tests, or a file. DATA is what `tflite-sparse sweep --data` takes; --mean and
--std are for images. For each file a line: its size, how many times as fast it is as the dense
model (predicted for the browser; with --bench measured there, or by how many times fewer
instructions it takes on an emulated Cortex-A76), and how near it comes to the dense model on the
inputs held out: the share of them on which both name the same class, and the ratio of signal to
noise of the worst output. Zeros are placed by magnitude, and then with values fitted to the inputs.
Full int8 is made by ai-edge-quantizer (`pip install 'tflite-sparse[rivals]'`); without it, or where
it fails, the line says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.sweeps import WHERE
from tests.support.real_models import real_model
from tflite_sparse.library.sweeps import sweep
from tflite_sparse.pruning.options import Method
from tflite_sparse.runtime.data.images import ImageOptions
from tflite_sparse.sweeping.options import SweepData

if TYPE_CHECKING:
    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.sweeping.result import Rival, SweepPoint


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("nets", nargs="*", default=["hand_landmark_lite"])
    parser.add_argument("--zeros", type=float, nargs="+", default=[0.8])
    parser.add_argument("--mean", type=float)
    parser.add_argument("--std", type=float)
    parser.add_argument("--bench", choices=WHERE)
    asked = parser.parse_args()
    mean, std = (None if number is None else (number,) for number in (asked.mean, asked.std))
    images = ImageOptions(mean, std)
    print("| net | file | bytes | gain | same class | signal to noise |\n|---|---|---|---|---|---|")
    for net in asked.nets:
        path = net if Path(net).is_file() else real_model(net)
        for method in (Method.MAGNITUDE, Method.CALIBRATED):
            swept = sweep(
                path,
                data=SweepData(asked.data, images),
                shares=tuple(asked.zeros),
                method=method,
                targets=("wasm",),
                bench=WHERE.get(asked.bench),
            )
            for point in swept.points[1:]:
                size = point.size(swept.values).bytes
                name = f"{point.share:.0%} zeros, {swept.method}"
                _print(Path(net).stem, name, size, point)
        for rival in swept.rivals:
            name = rival.name if rival.note is None else f"{rival.name}: {rival.note}"
            _print(Path(net).stem, name, rival.bytes, rival)


def _print(net: str, name: str, size: int | None, entry: SweepPoint | Rival) -> None:
    gain = entry.times[0].gain if entry.times else None
    if entry.measured is not None:
        gain = entry.measured.gain
    cells = (
        net,
        name,
        "" if size is None else f"{size:,}",
        "" if gain is None else f"{gain:.2f}",
        *_quality(entry.quality),
    )
    print(f"| {' | '.join(cells)} |", flush=True)


def _quality(quality: Quality | None) -> tuple[str, str]:
    if quality is None:
        return "", ""
    agreement = quality.agreement
    noise = min((o.snr for o in quality.outputs if o.snr is not None), default=None)
    return (
        "" if agreement is None else f"{agreement:.0%}",
        "" if noise is None else f"{noise:.1f} dB",
    )


if __name__ == "__main__":
    main()
