"""Runs what a sweep has made, in turn, on a real runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.runtime.arm64.bench import runtime_name
from tflite_sparse.runtime.arm64.packages import LITERT
from tflite_sparse.runtime.arm64.processors import DEFAULT, emulated, processor
from tflite_sparse.runtime.bench import bench, require
from tflite_sparse.sweeping.kept import keep, kept, name_of
from tflite_sparse.sweeping.result import MeasuredTime, Measurement, Rival, RivalKind, SweepPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.runtime.benched import BenchedModel, Here

    _File = tuple[SweepPoint | Rival, str]
    # How much is done, of how much, and what; None for what it was at first.
    Progress = Callable[[int, int, str | None], None]

__all__ = ["check", "measured"]

_RUNS = 30
_COUNTED = 3
"""Runs where instructions are counted, which are nearly the same each time."""
_TOGETHER = 4
"""Files that are run in turn with the dense one. Many side by side take the cache and the memory of
a page from each other."""
_COUNTED_TOGETHER = 3
"""Files whose instructions are counted by one start of the emulator."""
_COUNTING = "counting instructions"
_TIMEOUT = 600.0


def check(where: Here) -> None:
    """Makes sure, before the long work, that models can be run there.

    Raises:
        RuntimeUnavailableError: they cannot.
    """
    if where == "emulated":
        from tflite_sparse.runtime.arm64.install import ARM64, arm64_command
        from tflite_sparse.runtime.arm64.plugin import counter

        arm64_command(processor(DEFAULT))
        counter(ARM64.folder)
        return
    require(where)


def measured(
    folder: str,
    points: Sequence[SweepPoint],
    rivals: Sequence[Rival],
    where: Here,
    place: str | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[SweepPoint, ...], tuple[Rival, ...], Measurement]:
    """Points and rivals with what running them showed, and how they were run.

    Args:
        folder: where their files are.
        points: the points.
        rivals: the rivals; the dense fp32 one is the measure.
        where: where they are run.
        place: where instructions are kept that were counted; None for nowhere. Times are taken
            anew: those of one day are not those of another.
        progress: is told how many files have run, of how many, and what is done.

    Raises:
        TfliteSparseError: there is no runtime, or no random input for the model.
    """
    entries: list[_File] = [
        (rival, rival.path or str(Path(folder) / f"rival-{rival.kind}.tflite"))
        for rival in rivals
        if rival.bytes is not None
    ]
    # What the others are compared with comes first.
    entries.sort(key=lambda entry: getattr(entry[0], "kind", None) is not RivalKind.DENSE_FP32)
    entries += [(each, str(Path(folder) / f"{name_of(each.asked)}.tflite")) for each in points]
    run = _counted if where == "emulated" else _timed
    times, how = run(entries, where, place, progress)
    return (
        tuple(msgspec.structs.replace(each, measured=times[id(each)]) for each in points),
        tuple(msgspec.structs.replace(each, measured=times.get(id(each))) for each in rivals),
        how,
    )


def _timed(
    entries: Sequence[_File], where: Here, place: str | None, progress: Progress | None
) -> tuple[dict[int, MeasuredTime], Measurement]:
    del place
    results: list[tuple[int, BenchedModel]] = []
    for start in range(1, max(2, len(entries)), _TOGETHER):
        group = [entries[0], *entries[start : start + _TOGETHER]]
        paths = [path for _, path in group]
        result = bench(paths, where=where, runs=_RUNS, timeout=_TIMEOUT)
        ran = zip(group, result.models, strict=True)
        results += [(id(entry), model) for (entry, _), model in ran]
        if progress is not None:
            progress(min(start + _TOGETHER, len(entries)), len(entries), "taking times")
    # Each group has a time of its own for the dense one: the least is that of a machine at rest.
    first = id(entries[0][0])
    dense = min(
        (model.p10_ms for key, model in results if key == first and model.p10_ms), default=None
    )
    times = {key: _time(model, dense) for key, model in results}
    return times, Measurement(where, result.runtime, result.processor, result.runs)


def _counted(
    entries: Sequence[_File], where: Here, place: str | None, progress: Progress | None
) -> tuple[dict[int, MeasuredTime], Measurement]:
    """Instructions, a few files at a time, so that little is lost where somebody stops it."""
    counts: dict[int, MeasuredTime] = {}
    for entry, _ in entries:
        before = kept(place, _name(entry), MeasuredTime) if _is_kept(entry) else None
        if before is not None:
            counts[id(entry)] = before
    left = [each for each in entries if id(each[0]) not in counts]
    how = Measurement(where, runtime_name(), processor(DEFAULT).title, 1)
    for start in range(0, len(left), _COUNTED_TOGETHER):
        if progress is not None:
            progress(len(counts), len(entries), _COUNTING)
        group = left[start : start + _COUNTED_TOGETHER]
        paths = [path for _, path in group]
        result = bench(
            paths, where=where, runs=_COUNTED, timeout=_TIMEOUT, emulate=emulated(DEFAULT)
        )
        for (entry, _), model in zip(group, result.models, strict=True):
            counts[id(entry)] = MeasuredTime(None, model.instructions, None, model.detail)
            if _is_kept(entry) and not model.detail:
                keep(place, _name(entry), counts[id(entry)])
    if progress is not None:
        progress(len(entries), len(entries), _COUNTING)
    dense = counts[id(entries[0][0])].instructions
    gains = {
        key: dense / each.instructions if dense and each.instructions else None
        for key, each in counts.items()
    }
    return {
        key: msgspec.structs.replace(each, gain=gains[key]) for key, each in counts.items()
    }, how


def _is_kept(entry: SweepPoint | Rival) -> bool:
    """Whether its file is made of the model, and is what it was; a user's own may be another."""
    return isinstance(entry, SweepPoint) or entry.path is None


def _name(entry: SweepPoint | Rival) -> str:
    """What its count is called where it is kept."""
    name = name_of(entry.asked) if isinstance(entry, SweepPoint) else f"rival-{entry.kind}"
    return f"{name}-{DEFAULT}-{LITERT}"


def _time(model: BenchedModel, dense: float | None) -> MeasuredTime:
    """What running a file showed, beside a dense one that takes so many milliseconds."""
    ms = dense * model.ratio if dense and model.ratio else model.p10_ms
    return MeasuredTime(
        ms, model.instructions, 1 / model.ratio if model.ratio else None, model.detail
    )
