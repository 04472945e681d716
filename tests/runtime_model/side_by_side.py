"""A model's plan beside what LiteRT does with it on a processor without AVX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.runtime_model.observe import observe
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Comparison", "compare"]


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
    for model, seen in zip(models, observe(models, emulate=True), strict=True):
        made = plan(Model.read(model).subgraphs[0], "x86-noavx")
        yield Comparison(made.outcome, seen.outcome, made.executed, seen.executed, seen.detail)
