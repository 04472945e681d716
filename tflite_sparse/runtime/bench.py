"""Latency of models beside each other: on this machine, in a browser, or on a device."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.files.remote import require_files
from tflite_sparse.model import Model
from tflite_sparse.model.sizes.sized import resize_as
from tflite_sparse.runtime.benched import (
    Bench,
    BenchedModel,
    Where,
    benched,
    constant_outputs,
)
from tflite_sparse.runtime.inputs import differ, input_specs, random_inputs
from tflite_sparse.runtime.litert import processor
from tflite_sparse.runtime.litert.driver import litert_version, run_many, time_models
from tflite_sparse.runtime.noise import own_noise
from tflite_sparse.runtime.observations import Timing
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.litert.processor import Emulation
    from tflite_sparse.runtime.observations import ExecutedOperator, Outputs

__all__ = ["Bench", "BenchedModel", "Where", "bench", "require"]


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
    benchmark_model: str | None = None,
    device: str | None = None,
) -> Bench:
    """Times models in turn, run by run, so that a drift of the machine's speed hits all alike.

    Inputs are random; models whose inputs have the same shapes and types get the same ones.

    Args:
        models: paths of models; the others are compared with the first.
        where: on this machine's LiteRT, in a browser, or on an Android device.
        runs: counted runs of each model.
        warmup: runs of each before those.
        threads: how many threads.
        seed: seed of the random inputs.
        timeout: seconds that a model may take in all; one that takes longer is given up.
        browser: for "web", the browser, see `find_browser`.
        litertjs: for "web", a folder with LiteRT.js or a version of it, see `litertjs_files`.
        input_shapes: shapes of inputs that a model leaves open, by name, "" for the only one; None
            for those that it is looked at with.
        batch: the first dimension, where that is open.
        emulate: the Arm processor to emulate, where instructions are counted instead of times;
            None for none.
        benchmark_model: for "adb", LiteRT's tool of that name, built for the device.
        device: for "adb", the serial number of the device; None for the only one.

    Raises:
        UsageError: no model was named, one has inputs for which there are no random values, there
            is no such input, or no model of such a size.
        RuntimeUnavailableError: LiteRT, or what "web" or "adb" need, is not there.
        TfliteSparseError: a file is no model.
    """
    if isinstance(models, (str, bytes)) or not isinstance(models, Sequence):
        raise UsageError("bench takes a list of files", hint='bench(["a.tflite", "b.tflite"])')
    require_files("bench", *models)
    if not models:
        raise UsageError("there is no model to time")
    if emulate is None:
        require(where, browser=browser)
    opened = [Model.read(model) for model in models]
    for model in opened if not input_shapes and batch is None else ():
        for other in reversed(opened):
            # The first one counts, so it is taken last.
            resize_as(model, other)
    specs = [input_specs(model, batch=batch, input_shapes=input_shapes) for model in opened]
    if where == "adb":
        return _on_device(
            opened,
            specs,
            program=benchmark_model,
            serial=device,
            runs=runs,
            warmup=warmup,
            threads=threads,
            timeout=timeout,
        )
    feeds = [random_inputs(spec, 1, seed)[0] for spec in specs]
    # What is the same for these too says nothing of whether models compute the same.
    pair = random_inputs(specs[0], 2, seed)
    others = pair[1] if len(models) > 1 and differ(pair) else None
    if emulate is not None:
        return _counted(models, opened, feeds, others, emulate, seed, timeout)
    if where == "web":
        from tflite_sparse.runtime.web.driver import time_models_on_web
        from tflite_sparse.runtime.web.litertjs import litertjs_version

        timed = time_models_on_web(
            opened,
            feeds,
            runs=runs,
            warmup=warmup,
            threads=threads,
            timeout=timeout,
            browser=browser,
            litertjs=litertjs,
            others=others,
        )
        name = f"LiteRT.js {litertjs_version(litertjs)}".rstrip()
        runtime, timings = f"{name} in {timed.browser}", timed.timings
        notes = timed.notes
    else:
        runtime = f"LiteRT {litert_version()}"
        notes = ("",) * len(models)
        timings = _native(
            models, feeds, others, runs=runs, warmup=warmup, threads=threads, timeout=timeout
        )
    # Measured for the first model that needs it, and once.
    noise = functools.cache(lambda: tuple(own_noise(models[0], feeds[0], timeout=timeout)))
    results = tuple(
        benched(timing, timings[0], noise, model, note)
        for timing, model, note in zip(timings, opened, notes, strict=True)
    )
    return Bench(
        where, runtime, processor.name(), threads, runs, warmup, seed, results,
        constant_outputs(timings[0]),
    )  # fmt: skip


def _counted(
    models: Sequence[str],
    opened: Sequence[Model],
    feeds: Sequence[Outputs],
    others: Outputs | None,
    emulate: Emulation,
    seed: int,
    timeout: float,
) -> Bench:
    """Instructions of models instead of their times."""
    from tflite_sparse.runtime.arm64.bench import count_models, runtime_name

    timings, instructions = count_models(models, feeds, emulate, timeout=timeout, others=others)
    noise = functools.cache(lambda: tuple(own_noise(models[0], feeds[0], timeout=timeout)))
    first = instructions[0]
    results = tuple(
        msgspec.structs.replace(
            benched(timing, timings[0], noise, model, ""),
            instructions=count,
            ratio=count / first if count and first else None,
        )
        for timing, model, count in zip(timings, opened, instructions, strict=True)
    )
    constant = constant_outputs(timings[0])
    return Bench("emulated", runtime_name(), emulate.title, 1, 1, 1, seed, results, constant)


def _on_device(
    opened: Sequence[Model],
    specs: Sequence[Sequence[InputSpec]],
    *,
    program: str | None,
    serial: str | None,
    runs: int,
    warmup: int,
    threads: int,
    timeout: float,
) -> Bench:
    """Times on an Android device, which keeps what the models compute to itself."""
    from tflite_sparse.runtime.adb.bench import time_models_on_device

    timed = time_models_on_device(
        opened,
        specs,
        program=program,
        serial=serial,
        runs=runs,
        warmup=warmup,
        threads=threads,
        timeout=timeout,
    )
    results = tuple(
        msgspec.structs.replace(
            benched(timing, timed.timings[0], None, model, _sparse_words(operators)),
            operators=operators,
        )
        for timing, model, operators in zip(timed.timings, opened, timed.operators, strict=True)
    )
    runtime = "benchmark_model"
    return Bench("adb", runtime, timed.device, threads, timed.runs, warmup, 0, results)


def _sparse_words(operators: Sequence[ExecutedOperator] | None) -> str:
    """How many of the operators ran on sparse kernels; "" where nobody knows."""
    if operators is None:
        return ""
    count = sum(operator.sparse for operator in operators)
    return (
        f"{count_of(count, 'operator')} ran on sparse kernels" if count else "all of it ran dense"
    )


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
    elif where == "adb":
        from tflite_sparse.runtime.adb.device import find_adb

        find_adb()
    else:
        litert_version()


def _native(
    models: Sequence[str],
    feeds: Sequence[Outputs],
    others: Outputs | None,
    *,
    runs: int,
    warmup: int,
    threads: int,
    timeout: float,
) -> tuple[Timing, ...]:
    """Runs each model once alone, then times together those that survived it."""
    jobs = [(model, [feed]) for model, feed in zip(models, feeds, strict=True)]
    if others is not None:
        jobs[0][1].append(others)
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
        number: Timing(t.model, t.status, t.detail, t.milliseconds, *alone[number].trials)
        for number, t in zip(fine, timed, strict=True)
    }
    return tuple(
        by_number.get(number) or Timing(str(models[number]), result.status, result.detail)
        for number, result in enumerate(alone)
    )
