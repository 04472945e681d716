"""Latency of models beside each other, on this machine's LiteRT or in a browser."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Literal

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.compare_outputs import Tolerance, compare_output, paired
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert import processor
from tflite_sparse.runtime.litert.driver import litert_version, run_many, time_models
from tflite_sparse.runtime.observations import Status, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Bench", "BenchedModel", "Where", "bench"]

Where = Literal["native", "web"]
"""LiteRT in a process on this machine, or LiteRT.js in a headless browser."""


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

    @property
    def ok(self) -> bool:
        """Whether it ran."""
        return self.status == "ok"


class Bench(Record, frozen=True):
    """Models that were timed in turn.

    Attributes:
        where: "native" or "web".
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


_TOLERANCE = Tolerance(1e-4, 1e-3)
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

    Raises:
        UsageError: no model was named, or one has inputs for which there are no random values.
        RuntimeUnavailableError: LiteRT, or what "web" needs, is not there.
        TfliteSparseError: a file is no model.
    """
    if not models:
        raise UsageError("there is no model to time")
    feeds = [random_inputs(input_specs(Model.read(model)), 1, seed)[0] for model in models]
    if where == "web":
        from tflite_sparse.runtime.web.driver import time_models_on_web
        from tflite_sparse.runtime.web.litertjs import CORE

        found = time_models_on_web(
            models,
            feeds,
            runs=runs,
            warmup=warmup,
            threads=threads,
            timeout=timeout,
            browser=browser,
            litertjs=litertjs,
        )
        version = "" if litertjs else f" {CORE.version}"
        runtime, timings = f"LiteRT.js{version} in {found.browser}", found.timings
    else:
        runtime = f"LiteRT {litert_version()}"
        timings = _native(models, feeds, runs=runs, warmup=warmup, threads=threads, timeout=timeout)
    benched = tuple(_benched(timing, timings[0]) for timing in timings)
    return Bench(where, runtime, processor.name(), threads, runs, warmup, seed, benched)


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
    found = {
        number: Timing(t.model, t.status, t.detail, t.milliseconds, alone[number].trials[0])
        for number, t in zip(fine, timed, strict=True)
    }
    return tuple(
        found.get(number) or Timing(str(models[number]), result.status, result.detail)
        for number, result in enumerate(alone)
    )


def _benched(timing: Timing, first: Timing) -> BenchedModel:
    difference, within, reason = _difference(timing, first)
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
        difference,
        within,
        reason,
        times,
    )


def _difference(timing: Timing, first: Timing) -> tuple[float | None, bool | None, str]:
    """(largest difference, whether it is small, why there is none)."""
    if not (timing.ok and first.ok):
        return None, None, "not both ran"
    pairs, reason = paired([first.outputs], [timing.outputs])
    if reason:
        return None, None, reason
    compare = functools.partial(compare_output, allowed=_TOLERANCE)
    outputs = [compare(name, left, right) for name, left, right in pairs]
    largest = max((output.max_abs for output in outputs), default=0.0)
    return largest, all(output.within for output in outputs), ""
