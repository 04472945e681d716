"""How fast the codec is on one core, against copying memory, numpy and, where installed, scipy.

    python -m benchmarks.encoding_speed [--mib 256] [--zeros 0.8] [--rounds 5]

Rates are in MB of the dense tensor a second of processor time, the best of some rounds; a result is
written to new memory each time. Memory is what numpy allocates beside input and result, as a share
of the dense tensor. Exits with 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import (
    Layout,
    Occupancy,
    SparseEncoding,
    decode,
    encode,
    google_layout,
    search,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ENCODE_LIMIT = 700
"""Least rate of counting, searching and encoding fp32 in the exporter's layout, in MB/s."""

DECODE_LIMIT = 1000
"""Least rate of decoding it, in MB/s."""

MEMORY_LIMIT = 0.3
"""Most memory beside input and result, as a share of the dense tensor."""

LAYOUTS = {
    "last dimension (exporter)": google_layout(2),
    "first dimension": Layout((1, 0), (False, True)),
    "blocks of 4x1": google_layout(2, (4, 1)),
    "blocks of 1x4": google_layout(2, (1, 4)),
    "whole rows": Layout((0, 1), (True, False)),
}


def weights(mib: int, zeros: float, dtype: str) -> NDArray[Any]:
    """A matrix of random weights, some of them zero."""
    rng = np.random.default_rng(0)
    columns = 4096
    rows = max(16, (mib << 20) // columns // np.dtype(dtype).itemsize)
    array = (rng.standard_normal((rows, columns), np.float32) * 30).astype(dtype)
    array[array == 0] = 1
    array[rng.random(array.shape, np.float32) < zeros] = 0
    return array


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Processor time of the fastest round."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def beside(work: Callable[[], object], result: int) -> int:
    """Bytes allocated at the peak beyond those of the result."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] - result
    finally:
        tracemalloc.stop()


def peers(array: NDArray[Any]) -> dict[str, Callable[[], object]]:
    """What others do with the same matrix."""
    work: dict[str, Callable[[], object]] = {
        "numpy copy": array.copy,
        "numpy count_nonzero": lambda: np.count_nonzero(array),
        "numpy flatnonzero": lambda: np.flatnonzero(array),
    }
    if importlib.util.find_spec("scipy") and array.dtype != np.float16:
        sparse = importlib.import_module("scipy.sparse")

        packed = sparse.csr_array(array)
        work["scipy csr_array (encode)"] = lambda: sparse.csr_array(array)
        work["scipy toarray (decode)"] = packed.toarray
    return work


def measure(array: NDArray[Any], rounds: int) -> dict[str, float]:
    """Prints the rates for one type; the exporter's are returned, and the memory."""
    print(f"{array.dtype}, {array.nbytes / 2**20:.0f} MiB")
    found: dict[str, float] = {}

    def line(name: str, work: Callable[[], object]) -> float:
        rate = array.nbytes / 1e6 / seconds(work, rounds)
        found.setdefault("numpy copy", rate)
        print(f"  {name:42} {rate:8,.0f} MB/s {rate / found['numpy copy']:7.2f} of a copy")
        return rate

    for name, work in peers(array).items():
        line(name, work)
    line("count", lambda: Occupancy(array))
    line("count and search", lambda: search(array))
    for name, layout in LAYOUTS.items():
        encoding = encode(array, layout)
        assert np.array_equal(decode(encoding), array)
        encoded = line(f"encode, {name}", lambda used=layout: encode(array, used))  # type: ignore[misc]
        decoded = line(f"decode, {name}", lambda used=encoding: decode(used))  # type: ignore[misc]
        if layout == google_layout(2):
            whole = line("search and encode, exporter", lambda: both(array))
            found.update(encode=min(whole, encoded), decode=decoded)
            found["memory"] = memory(array, encoding)
            print(f"  memory beside input and result {found['memory']:.3f} of the tensor")
    return found


def both(array: NDArray[Any]) -> SparseEncoding:
    """Searches and encodes in the exporter's layout, as a rewrite of a file does."""
    search(array)
    return encode(array, google_layout(2))


def memory(array: NDArray[Any], encoding: SparseEncoding) -> float:
    """The largest share that counting, encoding or decoding takes beside input and result."""
    layout = google_layout(2)
    peak = max(
        beside(lambda: search(array), 0),
        beside(lambda: encode(array, layout), encoding.nbytes),
        beside(lambda: decode(encoding), array.nbytes),
    )
    return peak / array.nbytes


def main() -> int:
    """Runs the benchmark; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--zeros", type=float, default=0.8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found = {
        dtype: measure(weights(options.mib, options.zeros, dtype), options.rounds)
        for dtype in ("f4", "f2", "i1")
    }["f4"]
    limits = (
        ("encode", found["encode"] < ENCODE_LIMIT, ENCODE_LIMIT),
        ("decode", found["decode"] < DECODE_LIMIT, DECODE_LIMIT),
        ("memory", found["memory"] > MEMORY_LIMIT, MEMORY_LIMIT),
    )
    passed = [f"{name} {found[name]:.2f}, limit {limit}" for name, bad, limit in limits if bad]
    print("\n".join(passed) or "within all limits")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
