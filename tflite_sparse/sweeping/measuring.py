"""Runs what a sweep has made, in turn, on a real runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.runtime.bench import bench, require
from tflite_sparse.sweeping.kept import name_of
from tflite_sparse.sweeping.result import MeasuredTime, Measurement, Rival, RivalKind, SweepPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.benched import BenchedModel, Here
    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["check", "measured"]

_RUNS = 30
_COUNTED = 3
"""Runs where instructions are counted, which are nearly the same each time."""
_TOGETHER = 4
"""Files that are run in turn with the dense one. Many side by side take the cache and the memory of
a page from each other."""
_TIMEOUT = 600.0


def _processor(where: Here) -> Emulation | None:
    if where != "emulated":
        return None
    from tflite_sparse.runtime.arm64.processors import DEFAULT, emulated

    return emulated(DEFAULT)


def check(where: Here) -> None:
    """Makes sure, before the long work, that models can be run there.

    Raises:
        RuntimeUnavailableError: they cannot.
    """
    if where == "emulated":
        from tflite_sparse.runtime.arm64.install import ARM64, arm64_command
        from tflite_sparse.runtime.arm64.plugin import counter
        from tflite_sparse.runtime.arm64.processors import DEFAULT, processor

        arm64_command(processor(DEFAULT))
        counter(ARM64.folder)
        return
    require(where)


def measured(
    folder: str, points: Sequence[SweepPoint], rivals: Sequence[Rival], where: Here
) -> tuple[tuple[SweepPoint, ...], tuple[Rival, ...], Measurement]:
    """Points and rivals with what running them showed, and how they were run.

    Args:
        folder: where their files are.
        points: the points.
        rivals: the rivals; the dense fp32 one is the measure.
        where: where they are run.

    Raises:
        TfliteSparseError: there is no runtime, or no random input for the model.
    """
    entries: list[tuple[SweepPoint | Rival, str]] = [
        (rival, rival.path or str(Path(folder) / f"rival-{rival.kind}.tflite"))
        for rival in rivals
        if rival.bytes is not None
    ]
    # What the others are compared with comes first.
    entries.sort(key=lambda entry: getattr(entry[0], "kind", None) is not RivalKind.DENSE_FP32)
    entries += [(each, str(Path(folder) / f"{name_of(each.asked)}.tflite")) for each in points]
    results: list[tuple[int, BenchedModel]] = []
    together = len(entries) if where == "emulated" else _TOGETHER
    for start in range(1, max(2, len(entries)), together):
        group = [entries[0], *entries[start : start + together]]
        result = bench(
            [path for _, path in group],
            where=where,
            runs=_COUNTED if where == "emulated" else _RUNS,
            timeout=_TIMEOUT,
            emulate=_processor(where),
        )
        ran = zip(group, result.models, strict=True)
        results += [(id(entry), model) for (entry, _), model in ran]
    # Each group has a time of its own for the dense one: the least is that of a machine at rest.
    first = id(entries[0][0])
    dense = min(
        (model.p10_ms for key, model in results if key == first and model.p10_ms), default=None
    )
    times = {key: _time(model, dense) for key, model in results}
    return (
        tuple(msgspec.structs.replace(each, measured=times[id(each)]) for each in points),
        tuple(msgspec.structs.replace(each, measured=times.get(id(each))) for each in rivals),
        Measurement(where, result.runtime, result.processor, result.runs),
    )


def _time(model: BenchedModel, dense: float | None) -> MeasuredTime:
    """What running a file showed, beside a dense one that takes so many milliseconds."""
    ms = dense * model.ratio if dense and model.ratio else model.p10_ms
    return MeasuredTime(
        ms, model.instructions, 1 / model.ratio if model.ratio else None, model.detail
    )
