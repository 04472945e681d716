"""What adapting a model did, as data."""

from __future__ import annotations

from typing import Any

import msgspec

from tflite_sparse.records import Count, Record, Share
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.xnnpack.cost.instructions import InstructionEstimate
from tflite_sparse.xnnpack.plan_types import Outcome

__all__ = ["ZEROS_NEEDED", "Adaptation", "Attempt", "Blocked", "Outlook", "Step"]

ZEROS_NEEDED = "more than 66.7 % must be"
"""What the reason ends with where a model lacks zeros."""


class Step(Record, frozen=True):
    """One change to the graph.

    Attributes:
        subgraph: index of the subgraph.
        name: the pass that made it.
        operator: label of the operator in the model as it was.
        what: what was done.
        why: what it is for.
        macs: multiplications that it adds to a run.
        bytes: bytes of constants that it adds.
    """

    subgraph: Count
    name: PassName
    operator: str
    what: str
    why: str
    macs: int
    bytes: int


class Outlook(Record, frozen=True):
    """What comes of a model on a target once its weights are stored sparse.

    Attributes:
        target: name of the target.
        before: the outcome before.
        after: the outcome after.
        pointwise: number of 1x1 convolutions of the model before.
        sparse_before: number of them that ran sparse.
        sparse_after: number of 1x1 convolutions that run sparse after.
        share_before: share of the multiplications in operators with sparse kernels, 0 to 1.
        share_after: the same after.
        dense_ms: estimated time of the model with dense weights in milliseconds; None where the
            target was never measured.
        before_ms: estimated time of the model with sparse weights, before.
        after_ms: the same after.
        instructions_before: estimated instructions of the model with sparse weights, before, beside
            those with dense weights; None on targets where nobody has counted them.
        instructions_after: the same after, beside those of the model before with dense weights.
    """

    target: str
    before: Outcome
    after: Outcome
    pointwise: Count
    sparse_before: Count
    sparse_after: Count
    share_before: Share
    share_after: Share
    dense_ms: float | None = None
    before_ms: float | None = None
    after_ms: float | None = None
    instructions_before: InstructionEstimate | None = None
    instructions_after: InstructionEstimate | None = None

    @property
    def unchanged(self) -> Outlook:
        """The same for a model that stays as it is."""
        return msgspec.structs.replace(
            self,
            after=self.before,
            sparse_after=self.sparse_before,
            share_after=self.share_before,
            after_ms=self.before_ms,
            instructions_after=self.instructions_before,
        )


class Blocked(Record, frozen=True):
    """An operator that stays outside the sparse layout.

    Attributes:
        operator: its label.
        reason: why it stays outside.
        share: share of the work of 1x1 convolutions that this reason keeps dense, with all
            operators that have it, 0 to 1; 0 where it keeps no other operator outside.
    """

    operator: str
    reason: str
    share: Share = 0.0


class Attempt(Record, frozen=True):
    """Changes that were tried and given up.

    Attributes:
        steps: the changes, in the order in which they were made.
        outlook: what would have come of them, by target.
    """

    steps: tuple[Step, ...]
    outlook: tuple[Outlook, ...]


class Adaptation(Record, frozen=True):
    """What adapting a model did, or would have done.

    Attributes:
        done: whether the model was changed.
        reason: why it was not, in words; "" where it was.
        steps: the changes, in the order in which they were made; none where it was not changed.
        outlook: what comes of it, by target; where it was not changed, the same after as before.
        blocked: what stands in the way of more, what matters most first.
        attempt: what was tried and given up; null where it was changed or nothing was tried.
        activations_before: bytes of the activations that are alive at once, at most, before.
        activations_after: the same after; where it was not changed, the same as before.
    """

    done: bool
    reason: str = ""
    steps: tuple[Step, ...] = ()
    outlook: tuple[Outlook, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    attempt: Attempt | None = None
    activations_before: Count = 0
    activations_after: Count = 0

    @property
    def lacks_zeros(self) -> bool:
        """Whether it was not changed for want of zeros."""
        return self.reason.endswith(ZEROS_NEEDED)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, in plain types; shares and times with all their digits."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields
