"""What the names of targets stand for, and what is estimated for each: a row a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.views.outcomes import OUTCOMES
from tflite_sparse.report.verdict import fewer_words
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.inspection.runtime_types import PlannedTarget, TargetGroup
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["WHOSE", "Device", "devices"]

WHOSE = {
    "arm64": "Android phones, iPhones, tablets; a Raspberry Pi with a 64-bit system; Apple Silicon",
    "armv7": "32-bit Arm: old phones, small boards, a Raspberry Pi with a 32-bit system",
    "arm64-fp16": "the same as arm64, where the app asks LiteRT for half precision",
    "wasm": "every browser, on phones and PCs alike, by LiteRT.js",
    "riscv": "boards with RISC-V processors that have vectors",
    "hexagon": "the HVX units of Qualcomm's Hexagon",
    "x86-noavx": "PCs from before 2011, and emulators; the browser is wasm",
    "x86-avx": "PCs and servers, native apps; the browser on them is wasm",
}
"""Whose a target is, by the name of its processor."""

_RUNS = {
    Outcome.SPARSE: "sparse",
    Outcome.DENSE: "dense",
    Outcome.WRONG_NUMBERS: "computes wrong numbers",
    Outcome.LOAD_FAILURE: "does not load",
    Outcome.PROCESS_ABORT: "aborts the process",
    Outcome.OUTPUT_SHAPE: "gives outputs another shape",
}
# What goes wrong in one subgraph goes wrong.
_WORST_FIRST = [*(outcome for outcome in Outcome if outcome.is_failure), Outcome.SPARSE]


class Device(msgspec.Struct, frozen=True):
    """A target.

    Attributes:
        name: its name.
        whose: what it stands for.
        runtime: the release of the runtime.
        colour: class of the colour of its outcome.
        runs: how the model runs there.
        estimate: what is estimated for it; "" where nothing is.
    """

    name: str
    whose: str
    runtime: str
    colour: str
    runs: str
    estimate: str


def devices(model: PageModel) -> tuple[Device, ...]:
    """The targets of a model, the most common first."""
    return tuple(
        _device(target, seen.view.groups) for seen in model.seen for target in seen.view.targets
    )


def _device(target: PlannedTarget, groups: tuple[TargetGroup, ...]) -> Device:
    outcomes = {group.elsewhere for group in groups}
    outcome = next((o for o in _WORST_FIRST if o in outcomes), Outcome.DENSE)
    return Device(
        target.name,
        WHOSE.get(target.name.partition("@")[0], target.title),
        target_of(target.name).runtime.name,
        OUTCOMES[outcome][1],
        _RUNS[outcome],
        "; ".join(_estimates(target)),
    )


def _estimates(target: PlannedTarget) -> Iterator[str]:
    time, counted = target.estimate, target.instructions
    if time is not None:
        words = f"{time.planned_ms:.3g} ms"
        if time.gain != 1:
            dense = f"the same graph run dense ({time.dense_ms:.3g} ms)"
            words += f", {time.gain:.1f} times as fast as {dense}"
        yield words
    if counted is not None and counted.most > 1:
        yield f"{fewer_words(counted)} than the same graph run dense"
