"""When zeros come and when they move, over the steps of a training."""

from __future__ import annotations

import math
from typing import Literal

from tflite_sparse.records import Record

__all__ = ["MaskKind", "Schedule"]

MaskKind = Literal["fixed", "magnitude", "rigl"]

_MOVING_ENDS = 0.75  # RigL moves zeros for so long, as published


class Schedule(Record, frozen=True):
    """How masks change.

    Attributes:
        kind: "fixed", the zeros that are there in the beginning, and those of least magnitude then;
            "magnitude", more and more of least magnitude; "rigl", which begins as "fixed" does and
            moves zeros: weights of least magnitude are dropped, and those of largest gradient grow.
        steps: steps of the training.
        begin: share of the steps before which "magnitude" makes no zeros.
        ramp: share of the steps after which it has made all of them.
        every: steps between changes of the masks.
        drop: share of the weights that RigL moves at first; it falls to none by a cosine until
            three quarters of the steps.
    """

    kind: MaskKind = "rigl"
    steps: int = 1000
    begin: float = 0.0
    ramp: float = 0.5
    every: int = 25
    drop: float = 0.3

    @property
    def first(self) -> int:
        """The step after which "magnitude" begins."""
        return int(self.begin * self.steps) // self.every * self.every

    @property
    def last(self) -> int:
        """The step after which it has made all zeros."""
        return max(int(self.ramp * self.steps) // self.every * self.every, self.first)

    def share(self, step: int, before: float, after: float, complete: int) -> float:
        """The share of zeros after a step, along a cubic curve.

        Args:
            step: steps done.
            before: the share at the beginning.
            after: the share at the end.
            complete: the step after which it is reached.
        """
        begun = min(self.first, complete)
        done = (step - begun) / (complete - begun) if complete > begun else float(step >= complete)
        return max(before, after) + min(before - after, 0.0) * (1 - min(max(done, 0.0), 1.0)) ** 3

    def moved(self, step: int) -> float:
        """The share of the weights that move after a step."""
        ends = _MOVING_ENDS * self.steps
        if self.kind != "rigl" or not 0 < step < ends:
            return 0.0
        return self.drop / 2 * (1 + math.cos(math.pi * step / ends))

    def is_due(self, step: int, complete: int) -> bool:
        """Whether masks change after a step."""
        if step % self.every or self.kind == "fixed":
            return False
        return step <= complete or self.moved(step) > 0
