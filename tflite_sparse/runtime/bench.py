"""Latency of models beside each other, on this machine's LiteRT or in a browser."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import InputShapes, resize_as
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.compare_outputs import (
    Bound,
    OutputComparison,
    Tolerance,
    compare_output,
    paired,
)
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert import processor
from tflite_sparse.runtime.litert.driver import litert_version, run_many, time_models
from tflite_sparse.runtime.noise import own_noise
from tflite_sparse.runtime.observations import Status, Timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tflite_sparse.runtime.litert.processor import Emulation
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Bench", "BenchedModel", "Where", "bench", "require"]

Where = Literal["native", "web", "emulated"]
"""LiteRT in a process on this machine, LiteRT.js in a headless browser, or LiteRT on an emulated
processor, where instructions are counted and no times taken."""


class BenchedModel(Record, frozen=True):
    """A model that was timed, or an attempt at it.

    Attributes:
        path: the model.
        bytes: size of its file.
        status: how it fared.
        detail: what went wrong; "" for nothing.
        median_ms: median time of a run in milliseconds; None where it did not run.
        p10_ms: the time that a tenth of the runs did not pass.
        p90_ms: the time that nine tenths of the runs did not pass.
        ratio: its median as a share of the first model's; None where one of them did not run.
        max_difference: largest absolute difference of its outputs from the first model's on the
            same inputs; None where they cannot be compared.
        within: whether that is what another order of summation explains; None as before.
        comparison: why outputs cannot be compared; "" where they can.
        milliseconds: one time for each counted run, in order.
        input_shapes: the sizes that it was run at; None where it leaves none open.
        note: how it was run where that is not as it stands in the file; "" where it is.
        bound: by what the output with the largest difference is alike; None where they cannot be
            compared.
        noise: how far the first model's own output lies apart, where that was measured.
        instructions: of one run, on an emulated processor, where they stand for the time in
            `ratio`; None elsewhere.
    """

    path: str
    bytes: Count
    status: Status
    detail: str
    median_ms: Amount | None
    p10_ms: Amount | None
    p90_ms: Amount | None
    ratio: Amount | None
    max_difference: Amount | None
    within: bool | None
    comparison: str
    milliseconds: tuple[Amount, ...]
    input_shapes: InputShapes | None = None
    note: str = ""
    bound: Bound | None = None
    noise: Amount | None = None
    instructions: Count | None = None

    @property
    def ok(self) -> bool:
        """Whether it ran."""
        return self.status == "ok"


class Bench(Record, frozen=True):
    """Models that were timed in turn.

    Attributes:
        where: "native", "web" or "emulated".
        runtime: what ran them, with its version.
        processor: the processor that they ran on.
        threads: number of threads.
        runs: counted runs of each model.
        warmup: runs of each before those.
        seed: seed of the random inputs.
        models: the models in the order in which they were named.
    """

    where: Where
    runtime: str
    processor: str
    threads: Count
    runs: Count
    warmup: Count
    seed: Count
    models: tuple[BenchedModel, ...]

    @property
    def ok(self) -> bool:
        """Whether all models ran."""
        return all(model.ok for model in self.models)


_TOLERANCE = Tolerance(1e-4, 1e-3, range=1e-4, noise=2.0)
"""Wider than for `verify`: WebAssembly's relaxed arithmetic may round otherwise in each layer."""


def bench(
    models: Sequence[str],
    *,
    where: Where = "native",
    runs: int = 50,
    warmup: int = 5,
    threads: int = 1,
    seed: int = 0,
    timeout: float = 120.0,
    browser: str | None = None,
    litertjs: str | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
    emulate: Emulation | None = None,
) -> Bench:
    """Times models in turn, run by run, so that a drift of the machine's speed hits all alike.

    Inputs are random; models whose inputs have the same shapes and types get the same ones.

    Args:
        models: paths of models; the others are compared with the first.
        where: on this machine's LiteRT, or in a browser.
        runs: counted runs of each model.
        warmup: runs of each before those.
        threads: how many threads.
        seed: seed of the random inputs.
        timeout: seconds that a model may take in all; one that takes longer is given up.
        browser: for "web", the browser, see `find_browser`.
        litertjs: for "web", a folder with LiteRT.js, see `litertjs_files`.
        input_shapes: shapes of inputs that a model leaves open, by name, "" for the only one; None
            for those that it is looked at with.
        batch: the first dimension, where that is open.
        emulate: the Arm processor to emulate, where instructions are counted instead of times;
            None for none.

    Raises:
        UsageError: no model was named, one has inputs for which there are no random values, there
            is no such input, or no model of such a size.
        RuntimeUnavailableError: LiteRT, or what "web" needs, is not there.
        TfliteSparseError: a file is no model.
    """
    if not models:
        raise UsageError("there is no model to time")
    if emulate is None:
        require(where, browser=browser)
    opened = [Model.read(model) for model in models]
    for model in opened if not input_shapes and batch is None else ():
        for other in reversed(opened):
            # The first one counts, so it is taken last.
            resize_as(model, other)
    feeds = [
        random_inputs(input_specs(model, batch=batch, input_shapes=input_shapes), 1, seed)[0]
        for model in opened
    ]
    if emulate is not None:
        return _counted(models, opened, feeds, emulate, seed, timeout)
    if where == "web":
        from tflite_sparse.runtime.web.driver import time_models_on_web
        from tflite_sparse.runtime.web.litertjs import CORE

        timed = time_models_on_web(
            opened,
            feeds,
            runs=runs,
            warmup=warmup,
            threads=threads,
            timeout=timeout,
            browser=browser,
            litertjs=litertjs,
        )
        version = "" if litertjs else f" {CORE.version}"
        runtime, timings = f"LiteRT.js{version} in {timed.browser}", timed.timings
        notes = timed.notes
    else:
        runtime = f"LiteRT {litert_version()}"
        notes = ("",) * len(models)
        timings = _native(models, feeds, runs=runs, warmup=warmup, threads=threads, timeout=timeout)
    # Measured for the first model that needs it, and once.
    noise = functools.cache(lambda: tuple(own_noise(models[0], feeds[0], timeout=timeout)))
    benched = tuple(
        _benched(timing, timings[0], noise, model, note)
        for timing, model, note in zip(timings, opened, notes, strict=True)
    )
    return Bench(where, runtime, processor.name(), threads, runs, warmup, seed, benched)


def _counted(
    models: Sequence[str],
    opened: Sequence[Model],
    feeds: Sequence[Outputs],
    emulate: Emulation,
    seed: int,
    timeout: float,
) -> Bench:
    """Instructions of models instead of their times."""
    from tflite_sparse.runtime.arm64.bench import count_models, runtime_name

    timings, instructions = count_models(models, feeds, emulate, timeout=timeout)
    noise = functools.cache(lambda: tuple(own_noise(models[0], feeds[0], timeout=timeout)))
    first = instructions[0]
    benched = tuple(
        msgspec.structs.replace(
            _benched(timing, timings[0], noise, model, ""),
            instructions=count,
            ratio=count / first if count and first else None,
        )
        for timing, model, count in zip(timings, opened, instructions, strict=True)
    )
    return Bench("emulated", runtime_name(), emulate.title, 1, 1, 1, seed, benched)


def require(where: Where, *, browser: str | None = None) -> None:
    """Makes sure that what a measurement needs is installed.

    Args:
        where: where the models are to run.
        browser: for "web", the browser, see `find_browser`.

    Raises:
        RuntimeUnavailableError: it is not.
    """
    if where == "web":
        from tflite_sparse.runtime.web.chromium import check

        check(browser)
    else:
        litert_version()


def _native(
    models: Sequence[str],
    feeds: Sequence[Outputs],
    *,
    runs: int,
    warmup: int,
    threads: int,
    timeout: float,
) -> tuple[Timing, ...]:
    """Runs each model once alone, then times together those that survived it."""
    jobs = [(model, [feed]) for model, feed in zip(models, feeds, strict=True)]
    alone = list(run_many(jobs, threads=threads, timeout=timeout))
    fine = [number for number, result in enumerate(alone) if result.ok]
    timed = time_models(
        [models[number] for number in fine],
        [feeds[number] for number in fine],
        runs=runs,
        warmup=warmup,
        threads=threads,
        timeout=timeout * max(len(fine), 1),
    )
    by_number = {
        number: Timing(t.model, t.status, t.detail, t.milliseconds, alone[number].trials[0])
        for number, t in zip(fine, timed, strict=True)
    }
    return tuple(
        by_number.get(number) or Timing(str(models[number]), result.status, result.detail)
        for number, result in enumerate(alone)
    )


def _benched(timing: Timing, first: Timing, noise: _Noise, model: Model, note: str) -> BenchedModel:
    outputs, reason = _compared(timing, first, noise)
    # What is off, or else what differs most.
    worst = max(outputs, key=lambda o: (not o.within, o.max_abs), default=None)
    compared = not reason
    times = timing.milliseconds
    both = timing.ok and first.ok and first.median > 0
    return BenchedModel(
        timing.model,
        os.stat(timing.model).st_size,  # noqa: PTH116 - nothing else of a path is wanted
        timing.status,
        timing.detail,
        timing.median if times else None,
        timing.quantile(0.1) if times else None,
        timing.quantile(0.9) if times else None,
        timing.median / first.median if both else None,
        max((o.max_abs for o in outputs), default=0.0) if compared else None,
        all(o.within for o in outputs) if compared else None,
        reason,
        times,
        model.input_shapes if model.input_shapes and model.input_shapes.inputs else None,
        note,
        None if worst is None else worst.bound,
        None if worst is None else worst.noise,
    )


_Noise = Callable[[], tuple[tuple[Bound, list[float]], ...]]


def _compared(
    timing: Timing, first: Timing, noise: _Noise
) -> tuple[tuple[OutputComparison, ...], str]:
    """(the outputs beside those of the first model, why they cannot be compared)."""
    if not (timing.ok and first.ok):
        return (), "not both ran"
    pairs, reason = paired([first.outputs], [timing.outputs])
    outputs = tuple(compare_output(name, x, y, _TOLERANCE) for name, x, y in pairs)
    if any(not output.within for output in outputs):
        for bound, own in noise():
            if len(own) == len(outputs):
                outputs = tuple(
                    output if output.within else output.against_noise(limit, bound, _TOLERANCE)
                    for output, limit in zip(outputs, own, strict=True)
                )
    return outputs, reason
