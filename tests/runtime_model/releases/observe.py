"""What a release of LiteRT does with models, told from numbers alone.

Releases before 2.1 have no profiler, and LiteRT.js has none. A model whose outputs have the bits of
its dense twin, on the same release and processor, ran dense: the sparse kernels add in another
order.
"""

from __future__ import annotations

import pickle
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.runtime_model.observe import alike, feeds_of, reshaped, rounding
from tests.runtime_model.releases import browser, guest
from tests.runtime_model.releases.places import place_of
from tests.runtime_model.releases.wheels import site
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.runtime.arm64.processors import DEFAULT, emulated
from tflite_sparse.runtime.litert.driver import run_many
from tflite_sparse.runtime.litert.processor import interpreter_command, interpreter_environment
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.runtime.observations import Outputs

__all__ = ["observe_litertjs", "observe_release", "observe_wheel"]

TRIALS = 2


@dataclass(frozen=True, slots=True)
class _Job:
    model: bytes
    twin: bytes
    trials: list[Outputs]

    @property
    def unpacks(self) -> bool:
        """Whether the model has sparse weights that are unpacked."""
        return _unpacks(self.model)

    @property
    def has_twin(self) -> bool:
        """Whether all of them could be stored dense."""
        return not _unpacks(self.twin)


def observe_release(models: Sequence[bytes], name: str) -> Iterator[Outcome | None]:
    """Runs models and their dense twins on a pinned release, see `places`.

    Args:
        models: the models.
        name: by what the release is recorded.

    Yields:
        The outcome of each; None where the dense twin does not run right on that release either,
        so that zeros have nothing to do with it.
    """
    place = place_of(name)
    if place.release.browser:
        yield from observe_litertjs(models, place.version)
    else:
        yield from observe_wheel(models, site(name), place.target)


def observe_wheel(
    models: Sequence[bytes], folder: Path | None, target: str = "x86-noavx"
) -> Iterator[Outcome | None]:
    """Like `observe_release`, on an emulated processor.

    Args:
        models: the models.
        folder: an unpacked wheel of LiteRT; None for the one that is installed.
        target: "x86-noavx", or "arm64" for a wheel of that processor.
    """
    jobs = _jobs(models)
    yield from _outcomes(jobs, _answers(jobs, folder, target))


def observe_litertjs(models: Sequence[bytes], named: str | None) -> Iterator[Outcome | None]:
    """Like `observe_release`, in Chromium.

    Args:
        models: the models.
        named: a pinned version of LiteRT.js, or a folder where npm installed one.
    """
    jobs = _jobs(models)
    pairs = [(job.model, job.twin, job.trials) for job in jobs]
    yield from _outcomes(jobs, browser.answers(pairs, named))


def _jobs(models: Sequence[bytes]) -> list[_Job]:
    return [_Job(model, _twin(model), feeds_of(model, TRIALS)) for model in models]


def _outcomes(jobs: list[_Job], answers: Iterator[dict[str, Any]]) -> Iterator[Outcome | None]:
    references = run_many(((job.model, job.trials) for job in jobs), backend="builtin")
    for job, answer, reference in zip(jobs, answers, references, strict=True):
        assert reference.ok, reference.detail
        yield _outcome(job, answer, reference.trials)


def _twin(model: bytes) -> bytes:
    opened = Model.read(model)
    densify(opened)
    return opened.to_bytes()


def _unpacks(model: bytes) -> bool:
    return any(operator.name == "DENSIFY" for operator in Model.read(model).operators())


def _answers(jobs: Sequence[_Job], folder: Path | None, target: str) -> Iterator[dict[str, Any]]:
    processor = emulated(DEFAULT) if target == "arm64" else True
    environment = interpreter_environment(emulate=processor)
    if folder is not None:
        environment["PYTHONPATH"] = f"{folder}:{environment['PYTHONPATH']}"
    with tempfile.TemporaryDirectory() as work:
        given, taken = Path(work, "jobs"), Path(work, "answers")
        given.write_bytes(pickle.dumps([(job.model, job.twin, job.trials) for job in jobs]))
        command = [*interpreter_command(emulate=processor), guest.__file__, str(given), str(taken)]
        subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
        with taken.open("rb") as file:
            for _ in jobs:
                yield pickle.load(file)  # noqa: S301 - written by our child


def _outcome(job: _Job, answer: dict[str, Any], reference: Sequence[Outputs]) -> Outcome | None:
    relative = rounding(job.model)
    twin, model = answer.get("twin"), answer.get("model")
    told = twin is not None and twin["status"] == "ok" and _right(twin, reference, relative)
    if job.has_twin and not told:
        return None
    if model is None:
        return Outcome.PROCESS_ABORT
    if model["status"] == "load-failure":
        return Outcome.LOAD_FAILURE
    if model["status"] != "ok":
        return Outcome.WRONG_NUMBERS
    if not _right(model, reference, relative):
        shaped = [reshaped(*both) for both in zip(model["outputs"], reference, strict=True)]
        right = None not in shaped and _right({"outputs": shaped}, reference, relative)
        return Outcome.OUTPUT_SHAPE if right else Outcome.WRONG_NUMBERS
    # Without DENSIFY there is no hint, and TFLite's own sparse kernels add in another order too.
    dense = twin is None or not job.unpacks or _same_bits(model, twin)
    return Outcome.DENSE if dense else Outcome.SPARSE


def _right(answer: dict[str, Any], reference: Sequence[Outputs], relative: float) -> bool:
    pairs = zip(answer["outputs"], reference, strict=True)
    return all(alike(outputs, wanted, relative) for outputs, wanted in pairs)


def _same_bits(model: dict[str, Any], twin: dict[str, Any]) -> bool:
    return all(
        np.array_equal(value, other[name])
        for outputs, other in zip(model["outputs"], twin["outputs"], strict=True)
        for name, value in outputs.items()
    )
