"""How long `tflite-sparse inspect` takes for a gigabyte of weights, against counting them in numpy.

Run it with the Python that has the tool installed, with 1.2 GB free where temporary files go:

    python -m benchmarks.inspect_speed [--mib 1024]

The measure is the whole command, start of Python included, with the file in the page cache; memory
is what the process holds beyond the mapped file. Exits with 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.big_model import write_big_model

TIME_LIMIT = 4.0
"""Largest allowed ratio to `numpy.count_nonzero` over the same bytes."""

MEMORY_LIMIT = 150
"""Largest allowed memory beyond the mapped file, in MB."""

ROUNDS = 5


def private_memory(pid: int) -> int:
    """Memory of a running process that belongs to no file, in bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return sum(1024 * int(lines.get(key, "0 kB").split()[0]) for key in ("RssAnon", "RssShmem"))


def start(path: Path, *options: str) -> subprocess.Popen[bytes]:
    """Starts the command."""
    arguments = [sys.executable, "-m", "tflite_sparse", "inspect", str(path), *options]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL)


def seconds(path: Path, *options: str) -> float:
    """Wall time of the whole command."""
    begin = time.perf_counter()
    assert start(path, *options).wait() == 0
    return time.perf_counter() - begin


def memory(path: Path, *options: str) -> int:
    """Peak private memory of the command in bytes, looked at every few milliseconds."""
    process = start(path, *options)
    peak = 0
    while process.poll() is None:
        peak = max(peak, private_memory(process.pid))
        time.sleep(0.002)
    return peak


def count(path: Path) -> float:
    """Wall time of counting the weights in numpy, in seconds; the map is made anew."""
    values = np.memmap(path, np.float32, "r", shape=path.stat().st_size // 4)
    start = time.perf_counter()
    np.count_nonzero(values)
    return time.perf_counter() - start


def main() -> int:
    """Interleaves both, prints medians, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the weights")
    mib = parser.parse_args().mib
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.tflite"
        print(f"{write_big_model(path, mib):,} bytes")
        runs: dict[str, list[float]] = {"count_nonzero": [], "inspect": [], "inspect --json": []}
        count(path)
        peak = max(memory(path), memory(path, "--json"))
        for _ in range(ROUNDS):
            runs["count_nonzero"].append(count(path))
            runs["inspect"].append(seconds(path))
            runs["inspect --json"].append(seconds(path, "--json"))
    medians = {name: statistics.median(values) for name, values in runs.items()}
    base = medians["count_nonzero"]
    for name, median in medians.items():
        print(f"{name:16} {median:7.3f} s  {median / base:5.2f} x")
    print(f"memory beyond the map {peak / 1e6:.0f} MB (limit {MEMORY_LIMIT})")
    ratio = medians["inspect"] / base
    print(f"inspect takes {ratio:.2f} x the time of counting (limit {TIME_LIMIT})")
    return int(ratio > TIME_LIMIT or peak / 1e6 > MEMORY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
