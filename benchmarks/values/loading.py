"""What loading a model costs in time and memory, by the numbers in which its weights are stored.

usage: python -m benchmarks.values.loading [--runs 9]

A MobileNetV1 1.0 224 with 80 % zeros, dense and sparse, in LiteRT with XNNPACK on one thread. Each
load has a process of its own, and the models take turns. Times are medians, and mean something only
on a machine at rest; memory is what loading and one run added to the resident set, of that the part
that is not mapped from the file. The tables are those of docs/stored-values.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.support.architectures.mobilenet_v1 import mobilenet_v1
from tflite_sparse.model import Model
from tflite_sparse.rewrite.compress import compress
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

_MIB = 2**20
_SMAPS = Path("/proc/self/smaps_rollup")


def _resident() -> tuple[int, int]:
    """Bytes that are resident, and those of them that are no pages of files."""
    fields = {line.split(":")[0]: line.split() for line in _SMAPS.read_text("utf-8").splitlines()}
    return int(fields["Rss"][1]) * 1024, int(fields["Anonymous"][1]) * 1024


def _load(path: str) -> None:
    """Loads and runs a model, and prints what that took."""
    from ai_edge_litert.interpreter import Interpreter

    before = _resident()
    times = [time.perf_counter()]
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    times.append(time.perf_counter())
    interpreter.invoke()
    times.append(time.perf_counter())
    after = _resident()
    added = [b - a for a, b in zip(before, after, strict=True)]
    print(json.dumps([times[1] - times[0], times[2] - times[1], *added]))


def _models(folder: Path) -> dict[str, Path]:
    """The variants by their names."""
    models = {"dense fp32": folder / "dense.tflite"}
    models["dense fp32"].write_bytes(mobilenet_v1())
    for values in StoredValues:
        name = f"sparse {values}"
        models[name] = folder / f"{values}.tflite"
        save(compress(Model.read(models["dense fp32"]), values=ValuesOptions(values)), models[name])
    return models


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, metavar="N")
    parser.add_argument("--load", metavar="MODEL", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.load is not None:
        _load(asked.load)
        return
    with tempfile.TemporaryDirectory() as work:
        models = _models(Path(work))
        seen: dict[str, list[list[float]]] = {name: [] for name in models}
        for _ in range(asked.runs):
            for name, path in models.items():
                command = [sys.executable, "-m", "benchmarks.values.loading", "--load", str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                seen[name].append(json.loads(done.stdout.splitlines()[-1]))
        print(
            "| | file | load | first run | resident | not of the file |\n|---|---|---|---|---|---|"
        )
        for name, path in models.items():
            load, first, resident, anonymous = (
                median(each) for each in zip(*seen[name], strict=True)
            )
            print(
                f"| {name} | {path.stat().st_size / _MIB:.1f} MiB | {load * 1000:.0f} ms"
                f" | {first * 1000:.0f} ms | {resident / _MIB:.1f} MiB"
                f" | {anonymous / _MIB:.1f} MiB |"
            )


if __name__ == "__main__":
    main()
