"""LiteRT: runs, profiles and times models, on this processor or on an emulated one."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from importlib import metadata
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.arm64.plugin import MARK, parse_counts
from tflite_sparse.runtime.litert import processor
from tflite_sparse.runtime.litert.process import INSTALL, Worker, model_file
from tflite_sparse.runtime.litert.processor import emulation
from tflite_sparse.runtime.litert.tasks import NO_PROFILER
from tflite_sparse.runtime.observations import ExecutedOperator, Profile, RunResult, Timing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from tflite_sparse.runtime.litert.processor import Emulation
    from tflite_sparse.runtime.observations import Outputs, Status

    Model = str | os.PathLike[str] | bytes

__all__ = [
    "Backend",
    "Job",
    "litert_version",
    "profile",
    "profile_many",
    "run",
    "run_jobs",
    "run_many",
    "time_models",
]

Backend = Literal["xnnpack", "builtin", "reference"]
"""LiteRT with XNNPACK, with its optimised kernels alone, or with its reference kernels."""

TIMEOUT = 60.0
"""Seconds after which a model is given up, unless said otherwise."""


def litert_version() -> str:
    """The version of the LiteRT that is installed.

    Raises:
        RuntimeUnavailableError: there is none.
    """
    try:
        return metadata.version("ai-edge-litert")
    except metadata.PackageNotFoundError:
        raise RuntimeUnavailableError("LiteRT is not installed", hint=INSTALL) from None


def run(
    model: Model,
    trials: Sequence[Outputs],
    *,
    backend: Backend = "xnnpack",
    signature: str | None = None,
    threads: int = 1,
    emulate: bool | Emulation = False,
    timeout: float = TIMEOUT,
) -> RunResult:
    """Runs a model on some sets of inputs.

    Args:
        model: a path, or the bytes of a model.
        trials: for each run the inputs by name; by "0", "1" ... where names do not tell them apart.
            Inputs of another shape than the model's resize it.
        backend: which kernels run it.
        signature: which signature to run; None for the main subgraph.
        threads: how many threads.
        emulate: the processor to emulate; True for one without AVX.
        timeout: seconds after which the model is given up.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    jobs = [(model, trials)]
    options = {"backend": backend, "signature": signature, "threads": threads}
    with Worker(emulate=emulate) as worker:
        return next(_run_all(worker, jobs, timeout, options))


def run_many(
    jobs: Iterable[tuple[Model, Sequence[Outputs]]],
    *,
    backend: Backend = "xnnpack",
    signature: str | None = None,
    threads: int = 1,
    emulate: bool | Emulation = False,
    timeout: float = TIMEOUT,
) -> Iterator[RunResult]:
    """Like `run` for many models, which share the start of the worker.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    options = {"backend": backend, "signature": signature, "threads": threads}
    with Worker(emulate=emulate) as worker:
        yield from _run_all(worker, jobs, timeout, options)


class Job(NamedTuple):
    """A model to run, see `run`.

    Attributes:
        model: a path, or the bytes of a model.
        trials: for each run the inputs by name.
        backend: which kernels run it.
        signature: which signature to run; None for the main subgraph.
    """

    model: Model
    trials: Sequence[Outputs]
    backend: Backend = "xnnpack"
    signature: str | None = None


def run_jobs(
    jobs: Iterable[Job],
    *,
    threads: int = 1,
    emulate: bool | Emulation = False,
    timeout: float = TIMEOUT,
) -> Iterator[RunResult]:
    """Like `run_many`, each model on kernels and by a signature of its own.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    with Worker(emulate=emulate) as worker:
        for job in jobs:
            options = {"backend": job.backend, "signature": job.signature, "threads": threads}
            yield from _run_all(worker, [(job.model, job.trials)], timeout, options)


def _run_all(
    worker: Worker,
    jobs: Iterable[tuple[Model, Sequence[Outputs]]],
    timeout: float,
    options: dict[str, Any],
) -> Iterator[RunResult]:
    for model, trials in jobs:
        with model_file(model) as path:
            status, detail, answer = worker.perform(
                "run", timeout=timeout, model=path, feeds=list(trials), **options
            )
        yield RunResult(cast("Status", status), detail, tuple(answer or ()))


def profile(
    model: Model,
    *,
    runs: int = 5,
    threads: int = 1,
    emulate: bool | Emulation = False,
    timeout: float = TIMEOUT,
    shapes: Sequence[Sequence[int]] = (),
) -> Profile:
    """Which operators the runtime executes for a model, and how long each takes.

    The model runs on zeros: neither the choice of kernels nor their time depends on the inputs.

    Args:
        model: a path, or the bytes of a model.
        runs: over how many runs to take medians.
        threads: how many threads.
        emulate: the processor to emulate, True for one without AVX: operators are then those of
            such a processor, times mean nothing.
        timeout: seconds after which the model is given up.
        shapes: of its inputs, in the order of the main subgraph, for those that leave sizes open.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed, or the release has no
            profiler.
    """
    options = {"runs": runs, "threads": threads, "emulate": emulate, "timeout": timeout}
    return next(profile_many([model], shapes=[shapes], **cast("Any", options)))


def profile_many(
    models: Iterable[Model],
    *,
    runs: int = 1,
    threads: int = 1,
    emulate: bool | Emulation = False,
    timeout: float = TIMEOUT,
    shapes: Iterable[Sequence[Sequence[int]]] | None = None,
) -> Iterator[Profile]:
    """Like `profile` for many models, each with its shapes, which share the start of the worker.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed, or the release has no
            profiler.
    """
    asked = emulation(emulate)
    with Worker(emulate=emulate) as worker:
        given_shapes = itertools.repeat(()) if shapes is None else iter(shapes)
        for model, given in zip(models, given_shapes, strict=False):
            with model_file(model) as path:
                status, detail, answer = worker.perform(
                    "profile",
                    timeout=timeout,
                    model=path,
                    runs=runs,
                    threads=threads,
                    shapes=[tuple(shape) for shape in given],
                    # Emulated times mean nothing, and are long.
                    warmup=asked is None or asked.counting,
                    fp16=asked is not None and asked.fp16,
                    mark=MARK if asked is not None and asked.counting else None,
                )
            if status == NO_PROFILER:
                raise _no_profiler()
            operators, total = _counted(_operators(answer or []), worker.counted())
            yield Profile(
                cast("Status", status),
                detail,
                operators,
                len(answer or []),
                asked is not None,
                processor.name() if asked is None else asked.processor,
                total,
            )


def _no_profiler() -> RuntimeUnavailableError:
    return RuntimeUnavailableError(
        f"LiteRT {litert_version()} has no profiler, which came with 2.1",
        hint="bench times whole runs on it; inspect --runtime tells what is planned for it",
    )


def _counted(
    operators: tuple[ExecutedOperator, ...], lines: list[str]
) -> tuple[tuple[ExecutedOperator, ...], int | None]:
    """(the operators with their instructions, those of the whole run); None where not counted."""
    if not operators or not lines:
        return operators, None
    delegated = [operator for operator in operators if operator.partition is not None]
    sizes = Counter(operator.partition for operator in delegated)
    counts, total = parse_counts(lines[-1], list(sizes.values()))
    # Bodies of loops take turns with what is around them.
    if counts is None or any(operator.subgraph for operator in operators):
        return operators, total
    each = iter(counts)
    return tuple(
        operator
        if operator.partition is None
        else msgspec.structs.replace(operator, instructions=next(each))
        for operator in operators
    ), total


def _operators(
    recorded: list[list[tuple[str, int, int, int, int]]],
) -> tuple[ExecutedOperator, ...]:
    """The operators of the last run, with the medians over all."""
    if not recorded:
        return ()
    operators = []
    # Numbers start anew in every partition; an operator outside XNNPACK ends one, and so does
    # another subgraph.
    partition, previous, last = -1, len(recorded[-1]), 0
    for number, (name, delegated, index, _, subgraph) in enumerate(recorded[-1]):
        if delegated and (index <= previous or subgraph != last):
            partition += 1
        previous, last = index if delegated else len(recorded[-1]), subgraph
        times = [events[number][3] for events in recorded if number < len(events)]
        place = partition if delegated else None
        operators.append(
            ExecutedOperator(name, median(times), bool(delegated), index, place, subgraph)
        )
    return tuple(operators)


def time_models(
    models: Sequence[str],
    feeds: Sequence[Outputs],
    *,
    runs: int = 50,
    warmup: int = 5,
    threads: int = 1,
    backend: Backend = "xnnpack",
    timeout: float = 600.0,
) -> tuple[Timing, ...]:
    """Times models in turn, run by run, so that a drift of the machine's speed hits all alike.

    Args:
        models: paths of models.
        feeds: inputs of each model.
        runs: counted runs of each model.
        warmup: runs of each before that.
        threads: how many threads.
        backend: which kernels run them.
        timeout: seconds after which all are given up.

    Raises:
        RuntimeUnavailableError: LiteRT is not installed.
    """
    with contextlib.ExitStack() as stack:
        worker = stack.enter_context(Worker())
        paths = [stack.enter_context(model_file(model)) for model in models]
        status, detail, answer = worker.perform(
            "time",
            timeout=timeout,
            models=paths,
            feeds=list(feeds),
            runs=runs,
            warmup=warmup,
            threads=threads,
            backend=backend,
        )
    if answer is None:
        return tuple(Timing(str(model), cast("Status", status), detail) for model in models)
    return tuple(
        Timing(str(model), one, said, tuple(times))
        for model, (one, said, times) in zip(models, answer, strict=True)
    )
