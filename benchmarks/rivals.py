"""Holds a hand landmark net with zeros against dense and int8 files of it, by what it computes.

usage: python -m benchmarks.rivals DATA [--zeros 0.8] [NET ...]

DATA is what `tflite-sparse sweep --data` takes. For each file a line: its size, and how near it
comes to the dense model on the inputs held out, as the ratio of signal to noise of the first
output. Full int8 is made by ai-edge-quantizer (`pip install 'tflite-sparse[rivals]'`); without it,
or where it fails, the line says so.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tests.support.real_models import real_model
from tflite_sparse.library.sweeps import sweep

if TYPE_CHECKING:
    from tflite_sparse.pruning.measures import Quality


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("nets", nargs="*", default=["hand_landmark_lite"])
    parser.add_argument("--zeros", type=float, nargs="+", default=[0.8])
    asked = parser.parse_args()
    print("| net | file | bytes | signal to noise |\n|---|---|---|---|")
    for net in asked.nets:
        swept = sweep(real_model(net), data=asked.data, shares=tuple(asked.zeros), resume=False)
        for point in swept.points:
            size = point.size(swept.values).bytes
            _print(net, f"{point.share:.0%} zeros, {swept.method}", size, point.quality)
        for rival in swept.rivals:
            name = rival.name if rival.note is None else f"{rival.name}: {rival.note}"
            _print(net, name, rival.bytes, rival.quality)


def _print(net: str, name: str, size: int | None, quality: Quality | None) -> None:
    snr = None if quality is None else quality.outputs[0].snr
    cells = (net, name, "" if size is None else f"{size:,}", "" if snr is None else f"{snr:.1f} dB")
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
