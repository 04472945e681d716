"""Times of models beside each other on an Android device."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.runtime.adb.benchmark_model import arguments, executed, run_of
from tflite_sparse.runtime.adb.device import check_program, connected
from tflite_sparse.runtime.interleave import there_and_back
from tflite_sparse.runtime.observations import ExecutedOperator, Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.runtime.adb.benchmark_model import Run
    from tflite_sparse.runtime.adb.device import Device
    from tflite_sparse.runtime.inputs import InputSpec
    from tflite_sparse.runtime.observations import Status

__all__ = ["DeviceTimings", "time_models_on_device", "turns_of"]

_TURNS = 10
"""How often the models take turns: each turn starts a process, which reads the model anew."""
_STARTING = 30.0
"""Seconds that the tool has beyond its own limit, to start and to end."""


class DeviceTimings(msgspec.Struct, frozen=True):
    """What a device measured.

    Attributes:
        device: its name, processor and system.
        runs: counted runs of each model.
        timings: one for each model, in their order; each time is the mean of a turn's runs.
        operators: the operators of each, with their mean times; None where the tool told none.
    """

    device: str
    runs: int
    timings: tuple[Timing, ...]
    operators: tuple[tuple[ExecutedOperator, ...] | None, ...]


def turns_of(runs: int) -> tuple[int, int]:
    """(turns, runs in each) for at least so many runs in all."""
    turns = min(runs, _TURNS)
    return turns, -(-runs // turns)


class _Runner:
    """A model on the device.

    Attributes:
        path: the model here.
        options: what every call of the tool is told.
        seconds: how many it has left.
        status: how it fared.
        detail: what went wrong.
        milliseconds: one time a turn.
    """

    def __init__(self, path: str, options: dict[str, Any], seconds: float) -> None:
        self.path = path
        self.options = options
        self.seconds = seconds
        self.status: Status = "ok"
        self.detail = ""
        self.milliseconds: list[float] = []

    def ask(self, device: Device, program: str, *, operators: bool = False) -> tuple[Run, str]:
        """One call of the tool: (what it measured, what it printed)."""
        seconds = max(self.seconds, 0.001)
        command = [program, *arguments(**self.options, seconds=seconds, operators=operators)]
        started = time.monotonic()
        answer = device.shell(command, seconds=seconds + _STARTING)
        self.seconds -= time.monotonic() - started
        return run_of(answer, seconds + _STARTING), answer.text

    def take_turn(self, device: Device, program: str) -> None:
        """Runs it for a turn, unless it has failed before."""
        if self.status != "ok":
            return
        if self.seconds <= 0:
            self.status, self.detail = "timed-out", "it used up its time"
            return
        run, _ = self.ask(device, program)
        self.status, self.detail = run.status, run.detail
        if run.milliseconds is not None:
            self.milliseconds.append(run.milliseconds)

    def timing(self) -> Timing:
        """The result."""
        times = tuple(self.milliseconds) if self.status == "ok" else ()
        return Timing(self.path, self.status, self.detail, times)


def time_models_on_device(
    models: Sequence[Model],
    specs: Sequence[Sequence[InputSpec]],
    *,
    program: str | None,
    serial: str | None = None,
    runs: int = 50,
    warmup: int = 5,
    threads: int = 1,
    timeout: float = 120.0,
) -> DeviceTimings:
    """Times models in turn on an Android device, by LiteRT's benchmark_model.

    Args:
        models: models that were read from files.
        specs: the inputs of each.
        program: benchmark_model, built for the device.
        serial: which device, see `connected`.
        runs: counted runs of each model, at least; they are spread over a few turns.
        warmup: runs of each before those, in every turn.
        threads: how many threads.
        timeout: seconds that a model may take in all.

    Raises:
        RuntimeUnavailableError: adb or the device is not there, or takes no files.
        UsageError: there are several devices, or the program is none for this one.
    """
    source = check_program(program)
    device = connected(serial)
    turns, each = turns_of(runs)
    with device.folder(source) as folder:
        remote = f"{folder}/{source.name}"
        runners = []
        for number, (model, inputs) in enumerate(zip(models, specs, strict=True)):
            graph = f"{folder}/{number}.tflite"
            device.push(Path(str(model.path)), graph)
            options = {
                "graph": graph,
                "runs": each,
                "warmup": warmup,
                "threads": threads,
                "resized": _resized(model, inputs),
            }
            runners.append(_Runner(str(model.path), options, timeout))
        for runner in there_and_back(runners, turns):
            runner.take_turn(device, remote)
        operators = [_executed(runner, device, remote) for runner in runners]
    timings = tuple(runner.timing() for runner in runners)
    return DeviceTimings(device.title, turns * each, timings, tuple(operators))


def _executed(runner: _Runner, device: Device, program: str) -> tuple[ExecutedOperator, ...] | None:
    """The operators of a model that has run; apart, as watching them takes time."""
    if runner.status != "ok":
        return None
    runner.seconds = max(runner.seconds, _STARTING)
    run, text = runner.ask(device, program, operators=True)
    return (executed(text) or None) if run.status == "ok" else None


def _resized(model: Model, inputs: Sequence[InputSpec]) -> list[tuple[str, InputSpec]]:
    """The inputs with their names in the file, where one of them leaves sizes open."""
    sizes = model.input_shapes
    if sizes is None or not sizes.inputs:
        return []
    tensors = model.main.inputs
    return [(tensor.name, spec) for tensor, spec in zip(tensors, inputs, strict=True)]
