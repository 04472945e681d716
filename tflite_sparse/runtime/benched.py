"""Models that were timed, and how they compare."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from tflite_sparse.model.sizes.sized import InputShapes
from tflite_sparse.records import Amount, Count, Record
from tflite_sparse.runtime.compare_outputs import (
    Bound,
    OutputComparison,
    Tolerance,
    compare_output,
    constant,
    paired,
)
from tflite_sparse.runtime.entries import beside_main
from tflite_sparse.runtime.observations import ExecutedOperator, Status, Timing

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["Bench", "BenchedModel", "Here", "Noise", "Where", "benched", "constant_outputs"]

Here = Literal["native", "web", "emulated"]
"""On this machine: LiteRT in a process, LiteRT.js in a headless browser, or LiteRT on an emulated
processor, where instructions are counted and no times taken."""

Where = Literal["native", "web", "emulated", "adb"]
"""On this machine, or by benchmark_model on an Android device."""


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
        ratio: its p10 as a share of the first model's, as what else a machine does slows runs but
            never makes one faster; None where one of them did not run.
        max_difference: largest absolute difference of its outputs from the first model's on the
            same inputs; None where they cannot be compared.
        within: whether that is what another order of summation explains; None as before.
        comparison: why outputs cannot be compared; "" where they can.
        milliseconds: one time for each counted run, in order; on a device, which tells no more, the
            mean of each turn's runs.
        input_shapes: the sizes that it was run at; None where it leaves none open.
        note: how it was run where that is not as it stands in the file; "" where it is.
        bound: by what the output with the largest difference is alike; None where they cannot be
            compared.
        noise: how far the first model's own output lies apart, where that was measured.
        instructions: of one run, on an emulated processor, where they stand for the time in
            `ratio`; None elsewhere.
        operators: what was executed, with mean times, on a device that tells; None elsewhere.
        untimed: keys of its signatures that were not run, for their subgraph is not the main one.
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
    operators: tuple[ExecutedOperator, ...] | None = None
    untimed: tuple[str, ...] = ()

    derived = ("disturbed",)

    @property
    def ok(self) -> bool:
        """Whether it ran."""
        return self.status == "ok"

    @property
    def disturbed(self) -> bool:
        """Whether a tenth of its runs took so much longer than another that something else ran."""
        low, high = self.p10_ms, self.p90_ms
        if low is None or high is None or len(self.milliseconds) < _ENOUGH:
            return False
        return high >= _BUSY * low and high - low >= _NOTICED_MS


class Bench(Record, frozen=True):
    """Models that were timed in turn.

    Attributes:
        where: "native", "web", "emulated" or "adb".
        runtime: what ran them, with its version.
        processor: the processor that they ran on.
        threads: number of threads.
        runs: counted runs of each model.
        warmup: runs of each before those.
        seed: seed of the random inputs.
        models: the models in the order in which they were named.
        constant: outputs of the first model that are the same for other inputs: that those of the
            others agree with them proves nothing.
    """

    where: Where
    runtime: str
    processor: str
    threads: Count
    runs: Count
    warmup: Count
    seed: Count
    models: tuple[BenchedModel, ...]
    constant: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all models ran."""
        return all(model.ok for model in self.models)


_TENTH = 0.1
_ENOUGH = 10
_BUSY = 2.0
_NOTICED_MS = 1.0
"""Shorter runs are uneven by themselves: of the browser's clock, or of waking threads."""

_TOLERANCE = Tolerance(1e-4, 1e-3, range=1e-4, noise=2.0)
"""Wider than for `verify`: WebAssembly's relaxed arithmetic may round otherwise in each layer."""

_UNSEEN = "outputs stay on the device; verify compares them"

Noise = Callable[[], tuple[tuple[Bound, list[float]], ...]]
"""Measures how far outputs lie apart by themselves, for each of the bounds."""


def benched(
    timing: Timing, first: Timing, noise: Noise | None, model: Model, note: str
) -> BenchedModel:
    """A model's times and outputs beside those of the first one.

    Args:
        timing: how it fared.
        first: how the first one did.
        noise: measures how far the first model's outputs lie apart by themselves, by what they do;
            None where nothing tells what models compute.
        model: the model.
        note: how it was run where that is not as it stands in the file.
    """
    outputs, reason = (
        ((), _UNSEEN) if noise is None and timing.ok else _compared(timing, first, noise)
    )
    # What is off, or else what differs most.
    worst = max(outputs, key=lambda o: (not o.within, o.max_abs), default=None)
    compared = not reason
    times = timing.milliseconds
    both = timing.ok and first.ok and first.quantile(_TENTH) > 0
    return BenchedModel(
        timing.model,
        os.stat(timing.model).st_size,  # noqa: PTH116 - nothing else of a path is wanted
        timing.status,
        timing.detail,
        timing.median if times else None,
        timing.quantile(_TENTH) if times else None,
        timing.quantile(1 - _TENTH) if times else None,
        timing.quantile(_TENTH) / first.quantile(_TENTH) if both else None,
        max((o.max_abs for o in outputs), default=0.0) if compared else None,
        all(o.within for o in outputs) if compared else None,
        reason,
        times,
        model.input_shapes if model.input_shapes and model.input_shapes.inputs else None,
        note,
        None if worst is None else worst.bound,
        None if worst is None else worst.noise,
        untimed=beside_main(model),
    )


def constant_outputs(first: Timing) -> tuple[str, ...]:
    """Outputs of the first model that are the same for other inputs.

    Args:
        first: how it fared; nothing is known without its outputs for other inputs.
    """
    others = first.others
    return tuple(
        name for name, value in first.outputs.items() if name in others
        and constant([value, others[name]])
    )  # fmt: skip


def _compared(
    timing: Timing, first: Timing, noise: Noise | None
) -> tuple[tuple[OutputComparison, ...], str]:
    """(the outputs beside those of the first model, why they cannot be compared)."""
    if not (timing.ok and first.ok):
        return (), "not both ran"
    pairs, reason = paired([first.outputs], [timing.outputs])
    outputs = tuple(compare_output(name, x, y, _TOLERANCE) for name, x, y in pairs)
    if noise is not None and any(not output.within for output in outputs):
        for bound, own in noise():
            if len(own) == len(outputs):
                outputs = tuple(
                    output if output.within else output.against_noise(limit, bound, _TOLERANCE)
                    for output, limit in zip(outputs, own, strict=True)
                )
    return outputs, reason
