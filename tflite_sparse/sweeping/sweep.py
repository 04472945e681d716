"""A model over the share of its zeros."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.files.output import scratch
from tflite_sparse.inspection.file.gzip_size import file_bytes, gzip_size, sha256, sha256_of
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.fix import fix_sizes
from tflite_sparse.processes import mapping
from tflite_sparse.pruning.options import Method
from tflite_sparse.runtime.packages.package import cache_folder
from tflite_sparse.sweeping import measuring
from tflite_sparse.sweeping.kept import folder_of, kept, name_of
from tflite_sparse.sweeping.options import SweepOptions
from tflite_sparse.sweeping.point import method_of, point, times_at
from tflite_sparse.sweeping.result import BY_SIZE_ALONE, Rival, RivalKind, Sweep, SweepPoint
from tflite_sparse.sweeping.rivals import MADE, rival
from tflite_sparse.sweeping.subject import Task, subject_of
from tflite_sparse.sweeping.thresholds import thresholds
from tflite_sparse.words.numbers import rounded_percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tflite_sparse.runtime.benched import Here
    from tflite_sparse.sweeping.measuring import Progress
    from tflite_sparse.sweeping.options import SweepData
    from tflite_sparse.sweeping.subject import Subject

__all__ = ["sweep"]

_APART = 5e-3
_SAME = 1e-6
_T = TypeVar("_T")
_Asked: TypeAlias = "float | RivalKind | str | None"
"""A share of zeros, None for the model as it is, or a rival."""


def sweep(
    model: Model,
    options: SweepOptions | None = None,
    *,
    data: SweepData | None = None,
    rivals: Sequence[str] = (),
    bench: Here | None = None,
    processes: int = 1,
    resume: bool = True,
    needed: Sequence[float] = (),
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Prunes a model to several shares of zeros, optimizes each, and compares what comes of them.

    Args:
        model: the model; it stays as it is.
        options: which shares, and how they come about.
        data: inputs that values are fitted to and by which quality is judged; None for none:
            then zeros are placed by magnitude, for size and speed alone.
        rivals: files to hold beside it, beside those that are made from the model.
        bench: where all of them are run, in turn; None for nowhere.
        processes: how many processes do it; with more than one, a program has to keep what it
            does at its start behind `if __name__ == "__main__"`.
        resume: whether what an earlier run has done is taken, and what is done is kept.
        needed: shares without which it need not begin.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
        batch: the same for the first dimension alone.
        progress: is told how many points and rivals are made, or files have run, of how many, and
            what is done; None for the former.

    Raises:
        UsageError: no filter would ever run sparse; the options contradict each other; the model
            has more zeros than a share that is needed.
        RuntimeUnavailableError: what runs models is not installed.
        TfliteSparseError: the model or the data cannot be read, written or run.
    """
    options = options or SweepOptions()
    sizes = None
    if input_shapes or batch is not None:
        model = model.copy()
        sizes = fix_sizes(model, input_shapes, batch)
    if bench is not None:
        measuring.check(bench)
    files = [str(file) for file in rivals]
    for file in files:
        # One that cannot be read is told before the long work.
        Model.read(file)
    with _file_of(model) as path, _files(bench) as made:
        place = _kept_in(path, options, data) if resume else None
        try:
            task = Task(path, options, data, place, made)
            _refuse_fewer(subject_of(task), needed)
            swept = _sweep(task, model, files, bench, processes, progress)
            return msgspec.structs.replace(swept, input_shapes=sizes)
        finally:
            # The next sweep may be of another file of that name, or of other data.
            subject_of.cache_clear()


def _sweep(
    task: Task,
    model: Model,
    files: Sequence[str],
    bench: Here | None,
    processes: int,
    progress: Progress | None,
) -> Sweep:
    options = task.options
    subject = subject_of(task)
    shares, notes = _grid(subject, options.shares)
    asked: list[_Asked] = [None, *shares, *MADE, *files]
    entries = _all(task, asked, processes, progress)
    points = tuple(each for each in entries if isinstance(each, SweepPoint))
    rivals = tuple(each for each in entries if isinstance(each, Rival))
    measurement = None
    if bench is not None and task.files is not None:
        points, rivals, measurement = measuring.measured(
            task.files, points, rivals, bench, task.folder, progress
        )
    method = method_of(task)
    if method is Method.MAGNITUDE and not len(subject.held_out):
        notes.append(BY_SIZE_ALONE)
    source = Model.read(task.path)
    content = file_bytes(source)
    dense = next(each for each in rivals if each.kind is RivalKind.DENSE_FP32)
    is_dense = subject.model.path == source.path
    return Sweep(
        None if model.path is None else str(model.path),
        sha256(content),
        content.size,
        # The rival is this file, and has been compressed already.
        dense.gzip if is_dense and dense.gzip is not None else gzip_size(content),
        method,
        options.allocation,
        options.block,
        options.values,
        tuple(time.target for time in points[0].times),
        len(subject.fitted) if method is Method.CALIBRATED else 0,
        len(subject.held_out),
        subject.least,
        points,
        rivals,
        thresholds(points, options.names, subject.least, partial(times_at, task)),
        measurement,
        tuple(notes),
        images=subject.images,
    )


@contextlib.contextmanager
def _file_of(model: Model) -> Iterator[str]:
    """A file that holds the model, for other processes: its own, unless it was edited since."""
    if model.path is not None and model.path.is_file() and not _edited(model):
        yield str(model.path)
        return
    with scratch() as (file, path):
        model.copy().write(file)
        file.flush()
        yield str(path)


def _edited(model: Model) -> bool:
    """Whether a model is another than that in the file it was read from."""
    there = Model.read(model.path or "")
    return sha256_of(model.copy()) != sha256_of(there)


def _kept_in(path: str, options: SweepOptions, data: SweepData | None) -> str | None:
    """Where what is done is kept; None where nobody may write."""
    digest = sha256(file_bytes(Model.read(path)))
    try:
        return str(folder_of(cache_folder() / "sweeps", digest, options, data))
    except OSError:
        return None


@contextlib.contextmanager
def _files(bench: Here | None) -> Iterator[str | None]:
    """Where files lie that are to be run, which nobody else writes to; None for nowhere."""
    if bench is None:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="tflite-sparse-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _grid(subject: Subject, asked: Sequence[float]) -> tuple[list[float], list[str]]:
    """(the shares to look at in rising order, what there is to say of them)."""
    own, least = subject.own, subject.least
    shares = sorted(set(asked))
    usable = [share for share in shares if _is_more(share, subject)]
    notes = []
    if len(usable) < len(shares) and own > 0:
        have = rounded_percent(own, 1)
        notes.append(f"the filters have {have} zeros as they are; fewer are not looked at")
    step = min(1.0, -(-least * 100 // 1) / 100)
    spans = usable and usable[0] < step < usable[-1]
    if spans and step > own and all(abs(share - step) > _APART for share in usable):
        # Here the runtime changes its mind.
        usable = sorted((*usable, step))
    return usable, notes


def _refuse_fewer(subject: Subject, needed: Sequence[float]) -> None:
    for share in needed:
        if not _is_more(share, subject):
            have, fewer = rounded_percent(subject.own, 1), rounded_percent(share, 1)
            raise UsageError(
                f"the filters have {have} zeros as they are, and are not given fewer: {fewer}",
                hint="ask for more zeros",
            )


def _is_more(share: float, subject: Subject) -> bool:
    return share > subject.own + _SAME


def _one(task: Task, asked: _Asked) -> SweepPoint | Rival:
    return point(task, asked) if asked is None or isinstance(asked, float) else rival(task, asked)


def _all(
    task: Task,
    asked: Sequence[_Asked],
    processes: int,
    progress: Progress | None,
) -> list[SweepPoint | Rival]:
    done = {}
    if task.files is None:
        done = {each: r for each in asked if (r := _kept(task, each)) is not None}
    left = [each for each in asked if each not in done]
    workers, tasks = min(processes, len(left)), [task] * len(left)

    def note(number: int) -> None:
        if progress is not None:
            progress(len(done) + number, len(asked), None)

    if workers <= 1:
        results = list(_counted(map(_one, tasks, left), note))
    else:
        with mapping(workers, "swept", fresh=True) as start:
            results = list(_counted(start(_one, tasks, left), note))
    done |= dict(zip(left, results, strict=True))
    return [done[each] for each in asked]


def _kept(task: Task, asked: _Asked) -> SweepPoint | Rival | None:
    if asked is None or isinstance(asked, float):
        return kept(task.folder, name_of(asked), SweepPoint)
    return kept(task.folder, f"rival-{asked}", Rival) if isinstance(asked, RivalKind) else None


def _counted(results: Iterable[_T], note: Callable[[int], None]) -> Iterator[_T]:
    for number, made in enumerate(results, 1):
        note(number)
        yield made
