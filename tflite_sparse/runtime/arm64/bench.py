"""Instructions of models beside each other, on an emulated Arm processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.runtime.arm64.install import ARM64
from tflite_sparse.runtime.arm64.packages import LITERT
from tflite_sparse.runtime.arm64.plugin import counter
from tflite_sparse.runtime.litert.driver import profile_many, run_many
from tflite_sparse.runtime.observations import Timing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.litert.processor import Emulation
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["count_models", "runtime_name"]


def runtime_name() -> str:
    """What runs the models, with its version."""
    return f"LiteRT {LITERT}"


def count_models(
    models: Sequence[str],
    feeds: Sequence[Outputs],
    emulated: Emulation,
    *,
    timeout: float,
    others: Outputs | None = None,
) -> tuple[list[Timing], list[int | None]]:
    """(how each model fared and what it computed, the instructions of one run of it).

    Args:
        models: paths of models.
        feeds: inputs of each.
        emulated: the processor.
        timeout: seconds after which a model is given up.
        others: other inputs of the first model, for `Timing.others`; None for none.

    Raises:
        UsageError: it is no Arm processor.
        RuntimeUnavailableError: LiteRT for it, qemu or a C compiler is missing.
    """
    if not emulated.arm:
        raise UsageError(
            f"instructions of {emulated.title} are not counted", hint="take --emulate arm64"
        )
    if ARM64.is_unpacked:
        # Said before anything runs: without a compiler there is nothing to compare.
        counter(ARM64.folder)
    jobs = [(model, [feed]) for model, feed in zip(models, feeds, strict=True)]
    if others is not None:
        jobs[0][1].append(others)
    shapes = [[value.shape for value in feed.values()] for feed in feeds]
    counting = msgspec.structs.replace(emulated, counting=True)
    results = list(run_many(jobs, emulate=emulated, timeout=timeout))
    profiles = profile_many(models, emulate=counting, timeout=timeout, shapes=shapes)
    timings, instructions = [], []
    for model, result, profile in zip(models, results, profiles, strict=True):
        worse = result if not result.ok else profile
        trials = result.trials if result.ok and profile.ok else ()
        timings.append(Timing(str(model), worse.status, worse.detail, (), *trials))
        instructions.append(profile.instructions)
    return timings, instructions
