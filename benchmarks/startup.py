"""How long `tflite-sparse --version` takes, against importing typer, which it cannot do without.

Run it with the Python that has the tool installed:

    python -m benchmarks.startup

Exits with 1 when the ratio is above its limit.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

LIMIT = 1.5
"""Largest allowed ratio."""

ROUNDS = 15

COMMANDS = {
    "import typer": ["-c", "import typer"],
    "tflite-sparse --version": ["-m", "tflite_sparse", "--version"],
    "tflite-sparse inspect -h": ["-m", "tflite_sparse", "inspect", "-h"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one run of Python."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Interleaves the commands, prints medians and ratios."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for arguments in COMMANDS.values():
        seconds(arguments)
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians["import typer"]
    for name, median in medians.items():
        print(f"{name:26} {1000 * median:7.1f} ms  {median / base:5.2f} x")
    ratio = medians["tflite-sparse --version"] / base
    print(f"--version takes {ratio:.2f} x the time of importing typer (limit {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
