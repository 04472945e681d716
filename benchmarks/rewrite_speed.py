"""How fast a gigabyte of weights is written, as it is, sparse and dense, against `cp`.

Run it with the Python that has the tool installed, with 3.5 GB free where temporary files go:

    python -m benchmarks.rewrite_speed [--mib 1024]

Measured are whole runs of the library in one process with everything imported, from reading the
model to the file being in place, read back and compared; on one core. The files are in the page
cache. Memory is what the process holds beyond mapped files, over what it held before. Exits with 1
when a limit is passed.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.big_model import write_big_model
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

SPARSIFY_MB_A_SECOND = 500
"""Dense input that sparsify must get through in a second, in MB."""

DENSIFY_MB_A_SECOND = 700
"""Dense output that densify must make in a second, in MB."""

MEMORY_LIMIT = 1.3
"""Largest allowed memory beyond the map, as a multiple of the largest tensor."""

WRITE_RATIO, WRITE_MEMORY = 3, 100e6
"""Limits of writing a model as it is: times as long as cp, bytes of memory beyond the map."""

LARGEST_TENSOR = 64 * 2**20
ROUNDS = 3


def private_memory() -> int:
    """Memory of this process that belongs to no file, in bytes."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(lines["RssAnon"].split()[0])


def rewrite(name: str, source: Path, target: Path) -> None:
    """Reads, rewrites and writes a model."""
    model = Model.read(source)
    if name == "write":
        model.write(target)
    else:
        save(sparsify(model) if name == "sparsify" else densify(model), target)


def peak_memory(name: str, source: Path, target: Path) -> int:
    """Peak private memory in bytes of a rewrite in a process of its own.

    What the process takes for its modules does not count.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(watched, name, source, target).result()


def watched(name: str, source: Path, target: Path) -> int:
    """Runs a rewrite and returns the peak of private memory over that at the start."""
    Model.read(source)
    with Watch() as watch:
        rewrite(name, source, target)
    return watch.peak


class Watch:
    """Looks at the memory of this process every few milliseconds while a block runs."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._start = self.peak = 0

    def _look(self) -> None:
        while not self._done.wait(0.004):
            self.peak = max(self.peak, private_memory() - self._start)

    def __enter__(self) -> Self:
        self._start = private_memory()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def timed(work: Callable[[], object], target: Path) -> float:
    """Median wall time in seconds of some runs that write a file."""
    found = []
    for _ in range(ROUNDS):
        target.unlink(missing_ok=True)
        # Maps of earlier rounds keep files that are gone in memory.
        gc.collect()
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def main() -> int:
    """Runs the benchmark; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    mib = parser.parse_args().mib
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        dense, sparse = Path(folder, "dense.tflite"), Path(folder, "sparse.tflite")
        back, copy = Path(folder, "back.tflite"), Path(folder, "copy.tflite")
        size = write_big_model(dense, mib, 0.8)

        copied = timed(lambda: subprocess.run(["cp", dense, copy], check=True), copy)
        copy.unlink()
        print(f"{size / 1e6:,.0f} MB dense; cp {size / 1e6 / copied:,.0f} MB/s")
        ratio = timed(partial(rewrite, "write", dense, back), back) / copied
        memory = float(peak_memory("write", dense, back))
        print(
            f"read and write: {ratio:.2f} times as long as cp (limit {WRITE_RATIO}),"
            f" {memory / 1e6:.0f} MB of memory (limit {WRITE_MEMORY / 1e6:.0f})"
        )
        failed |= ratio > WRITE_RATIO or memory > WRITE_MEMORY
        back.unlink()
        for name, source, target, limit in (
            ("sparsify", dense, sparse, SPARSIFY_MB_A_SECOND),
            ("densify", sparse, back, DENSIFY_MB_A_SECOND),
        ):
            taken = timed(partial(rewrite, name, source, target), target)
            memory = peak_memory(name, source, target) / LARGEST_TENSOR
            speed = size / 1e6 / taken
            print(
                f"{name}: {speed:,.0f} MB/s of dense weights (limit {limit}),"
                f" {taken / copied:.2f} times as long as cp,"
                f" {memory:.2f} times the largest tensor in memory (limit {MEMORY_LIMIT})"
            )
            failed |= speed < limit or memory > MEMORY_LIMIT
        same = dense.read_bytes() == back.read_bytes()
        print("densify gave back the file" if same else "densify did not give back the file")
    return int(failed or not same)


if __name__ == "__main__":
    sys.exit(main())
