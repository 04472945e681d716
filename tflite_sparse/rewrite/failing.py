"""What the runtime gets wrong with a model as it is: for rewrites that repair it, or cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.records import Record
from tflite_sparse.words.numbers import listing
from tflite_sparse.xnnpack.forecast import forecast
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.stages.missing_kernels import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.xnnpack.plan_types import Reason

__all__ = ["EVERYWHERE", "Failing", "failing"]

EVERYWHERE = ("arm64",)
"""Targets that show all that can go wrong anywhere: the sparse path is on there."""

_WORST_FIRST = (
    Outcome.LOAD_FAILURE,
    Outcome.PROCESS_ABORT,
    Outcome.WRONG_NUMBERS,
    Outcome.OUTPUT_SHAPE,
)
# An app must bring it; no app brings kernels for operands that the format allows and none computes.
_CUSTOM = "custom-operator"


class Failing(Record, frozen=True):
    """What goes wrong with a model.

    Attributes:
        outcome: what comes of running it.
        targets: on which of the targets that were asked about.
        reason: why, first things first.
    """

    outcome: Outcome
    targets: tuple[str, ...]
    reason: str

    def words(self, *, past: bool = False) -> str:
        """What it does, in words that follow "it".

        Args:
            past: whether it does so no more.
        """
        now, then = _WORDS[self.outcome]
        return f"{then if past else now} on {listing(list(self.targets))}: {self.reason}"


_WORDS = {
    Outcome.WRONG_NUMBERS: ("computes wrong numbers", "computed wrong numbers"),
    Outcome.LOAD_FAILURE: ("does not load", "did not load"),
    Outcome.PROCESS_ABORT: ("aborts the process", "aborted the process"),
    Outcome.OUTPUT_SHAPE: ("gives an output another shape", "gave an output another shape"),
}


def failing(model: Model, targets: Sequence[str] = EVERYWHERE) -> Failing | None:
    """What the runtime gets wrong with a model, by the model of the runtime; None for nothing.

    Custom operators that an app must register are no failure here.

    Args:
        model: the model; it is only looked at.
        targets: names of the targets.

    Raises:
        UsageError: there is no such target.
        EncodingError: a sparse weight is malformed.
        ModelError: a weight's buffer does not fit its shape.
    """
    counts = ZeroCounts()
    failures = [
        (outcome, target, reason)
        for target in targets
        for outcome, reason in _failures(model, target, counts)
    ]
    if not failures:
        return None
    worst = min((outcome for outcome, _, _ in failures), key=_WORST_FIRST.index)
    names = dict.fromkeys(target for outcome, target, _ in failures if outcome is worst)
    reason = next(reason for outcome, _, reason in failures if outcome is worst)
    return Failing(worst, tuple(names), reason.message)


def _failures(model: Model, target: str, counts: ZeroCounts) -> Iterator[tuple[Outcome, Reason]]:
    for subgraph in model.subgraphs:
        outcome = forecast(subgraph, target, zeros=counts)
        for why in outcome.missing:
            if why.rule != _CUSTOM:
                yield outcome_of((why,)), why
        if outcome.failure is not None:
            yield outcome.failure, outcome.reasons[0]
