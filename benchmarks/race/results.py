"""What the race measured, and how numbers of it are written."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.race.contest import Measured
    from benchmarks.race.parts import Sizes
    from tflite_sparse.runtime.bench import Bench

__all__ = ["BEFORE", "FLOOR", "IMPORTS", "LARGE", "SMALL", "Results", "mib", "seconds", "table"]

_MS = 1000
_SECOND = 1.0

BEFORE = "before"
"""Name of the package as an earlier revision had it."""

FLOOR = "numpy and typer"
"""Name of a start of Python that imports what the tool cannot do without, and nothing else."""

IMPORTS = "all modules of sparsify"
"""Name of a start of Python that imports what `sparsify` runs, and runs nothing."""

SMALL, LARGE = "keras_mobilenet_v1", "512 MiB of filters"
"""Names of the models that goals for the time are set on."""


@dataclass
class Results:
    """Everything that was measured.

    Attributes:
        machine: what it ran on.
        versions: of the package and the peers.
        loads: load of the machine at the start and at the end.
        revision: the earlier revision, "" for none.
        floor: starting Python with no more than numpy, with typer too, and with the package.
        least: the least work that numpy can do on the large model.
        sparsify: by model.
        inspect: by model.
        sizes: of models in which nothing is to be stored sparse.
        libraries: what `in_process` gives.
        browser: by model.
    """

    machine: str
    versions: Mapping[str, str]
    loads: list[str]
    revision: str
    floor: Mapping[str, Measured] = field(default_factory=dict)
    least: Mapping[str, Measured] = field(default_factory=dict)
    sparsify: dict[str, dict[str, Measured]] = field(default_factory=dict)
    inspect: dict[str, dict[str, Measured]] = field(default_factory=dict)
    sizes: Sequence[Sizes] = ()
    libraries: dict[str, Any] = field(default_factory=dict)
    browser: Mapping[str, Bench] = field(default_factory=dict)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; all columns but the first are aligned to the right."""
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "---:|" * (len(columns) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def seconds(times: Sequence[float]) -> str:
    """Median with the fastest and the slowest run: "1.20 s (1.10-1.40)"."""
    middle, unit = statistics.median(times), "s"
    scale, digits = 1, 2
    if middle < _SECOND:
        unit, scale, digits = "ms", _MS, 0 if middle * _MS >= 10 else 2
    low, middle, high = (scale * value for value in (min(times), middle, max(times)))
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f}-{high:.{digits}f})"


def mib(number: float) -> str:
    """A size in MiB."""
    return f"{number / 2**20:,.1f}" if number < 100 * 2**20 else f"{number / 2**20:,.0f}"
