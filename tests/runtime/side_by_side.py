"""A model's plan beside what LiteRT does with it on a processor without AVX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.runtime.litert import profile_many, run_many
from tflite_sparse.xnnpack import Outcome, plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.runtime.results import Outputs, Profile, RunResult

__all__ = ["Comparison", "compare"]

# Right nets differ by rounding; averages hide much of what is wrong, and may be close to zero.
_RELATIVE, _ABSOLUTE = 3e-5, 2e-6


@dataclass(frozen=True)
class Comparison:
    """A prediction and an observation.

    Attributes:
        predicted: the outcome by the plan.
        observed: the outcome on the runtime.
        planned: the operators by the plan.
        executed: the operators that the runtime ran; nothing where it did not run.
        detail: what the runtime said.
    """

    predicted: Outcome
    observed: Outcome
    planned: tuple[str, ...]
    executed: tuple[str, ...]
    detail: str

    @property
    def agree(self) -> bool:
        """Whether the plan is right.

        Reading or writing past the end of memory may or may not end the process: where the plan
        says so, numbers that are merely wrong do not contradict it.
        """
        lucky = (Outcome.PROCESS_ABORT, Outcome.WRONG_NUMBERS)
        same = self.predicted is self.observed or (self.predicted, self.observed) == lucky
        return same and (not self.executed or self.executed == self.planned)


def compare(models: Sequence[bytes]) -> Iterator[Comparison]:
    """Plans models and runs them, emulated and without XNNPACK.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """
    graphs = [Model.read(model).subgraphs[0] for model in models]
    rng = np.random.default_rng(7)
    feeds: list[list[Outputs]] = [
        [{t.name: rng.standard_normal(t.shape).astype(np.float32) for t in graph.inputs}]
        for graph in graphs
    ]
    jobs = list(zip(models, feeds, strict=True))
    profiles = profile_many(models, emulate=True)
    sparse = run_many(jobs, emulate=True)
    dense = run_many(jobs, backend="builtin")
    for graph, profile, result, reference in zip(graphs, profiles, sparse, dense, strict=True):
        made = plan(graph, "x86-noavx")
        yield Comparison(
            made.outcome,
            _outcome(profile, result, reference),
            made.executed,
            profile.delegated,
            result.detail or profile.detail,
        )


def _outcome(profile: Profile, result: RunResult, reference: RunResult) -> Outcome:
    assert reference.ok, reference.detail
    if result.status == "load-failure":
        return Outcome.LOAD_FAILURE
    if "crashed" in (result.status, profile.status):
        return Outcome.PROCESS_ABORT
    if not result.ok or not _alike(result.trials[0], reference.trials[0]):
        return Outcome.WRONG_NUMBERS
    sparse = any(operator.sparse for operator in profile.operators)
    return Outcome.SPARSE if sparse else Outcome.DENSE


def _alike(found: Outputs, wanted: Outputs) -> bool:
    return all(
        found[name].shape == value.shape
        and np.allclose(
            found[name], value, rtol=0, atol=_ABSOLUTE + _RELATIVE * float(np.abs(value).max())
        )
        for name, value in wanted.items()
    )
