"""How long `tflite-sparse inspect` takes for a gigabyte of weights, against counting them in numpy.

Run it with the Python that has the tool installed, with 1.2 GB free where temporary files go:

    python -m benchmarks.inspect_speed [--mib 1024]

Measured are the work alone, in one process with everything imported, and whole processes: the
command against a Python that imports numpy, maps the file and counts. The file is in the page
cache. Memory is what the command holds beyond the mapped file. Exits with 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.big_model import write_big_model
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

TIME_LIMIT = 4.0
"""Largest allowed ratio to `numpy.count_nonzero` over the same bytes."""

MEMORY_LIMIT = 150
"""Largest allowed memory beyond the mapped file, in MB."""

ROUNDS = 5

COUNT = "import numpy, sys; numpy.count_nonzero(numpy.memmap(sys.argv[1], numpy.float32, 'r'))"


def count(path: Path) -> None:
    """Counts the weights in numpy; the map is made anew."""
    np.count_nonzero(np.memmap(path, np.float32, "r"))


def start(path: Path, *options: str) -> subprocess.Popen[bytes]:
    """Starts the command."""
    arguments = [sys.executable, "-m", "tflite_sparse", "inspect", str(path), *options]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL)


def command(path: Path, *options: str) -> None:
    """Runs the command."""
    assert start(path, *options).wait() == 0


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def private_memory(pid: int) -> int:
    """Memory of a running process that belongs to no file, in bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return sum(1024 * int(lines.get(key, "0 kB").split()[0]) for key in ("RssAnon", "RssShmem"))


def peak_memory(path: Path, *options: str) -> int:
    """Peak private memory of the command in bytes, looked at every few milliseconds."""
    process = start(path, *options)
    peak = 0
    while process.poll() is None:
        peak = max(peak, private_memory(process.pid))
        time.sleep(0.002)
    return peak


def main() -> int:
    """Interleaves what is compared, prints medians, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the weights")
    mib = parser.parse_args().mib
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.tflite"
        print(f"{write_big_model(path, mib):,} bytes")
        compared: dict[str, tuple[Callable[[], object], str]] = {
            "count_nonzero": (lambda: count(path), ""),
            "inspect()": (lambda: inspect(Model.read(path), digest=False), "count_nonzero"),
            "inspect() and sha256": (lambda: inspect(Model.read(path)), "count_nonzero"),
            "process that counts": (
                lambda: subprocess.run([sys.executable, "-c", COUNT, str(path)], check=True),
                "",
            ),
            "tflite-sparse inspect": (lambda: command(path), "process that counts"),
            "tflite-sparse inspect --json": (
                lambda: command(path, "--json"),
                "process that counts",
            ),
        }
        runs: dict[str, list[float]] = {name: [] for name in compared}
        for work, _ in compared.values():
            work()
        for _ in range(ROUNDS):
            for name, (work, _) in compared.items():
                runs[name].append(seconds(work))
        peak = max(peak_memory(path), peak_memory(path, "--json")) / 1e6
    medians = {name: statistics.median(values) for name, values in runs.items()}
    ratios = {n: medians[n] / medians[base] for n, (_, base) in compared.items() if base}
    for name, median in medians.items():
        ratio = f"{ratios[name]:5.2f} x" if name in ratios else ""
        print(f"{name:30} {median:7.3f} s  {ratio}")
    print(f"memory beyond the map {peak:.0f} MB (limit {MEMORY_LIMIT})")
    worst = max(ratios["inspect()"], ratios["tflite-sparse inspect"])
    print(f"inspect takes {worst:.2f} x the time of counting (limit {TIME_LIMIT})")
    return int(worst > TIME_LIMIT or peak > MEMORY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
