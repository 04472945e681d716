"""What masks in a training of one's own are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from tflite_sparse.errors import UsageError
from tflite_sparse.masking.schedule import MaskKind, Schedule
from tflite_sparse.model.zero_counts import BLOCK_CHANNELS
from tflite_sparse.pruning.options import Allocation
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MaskOptions"]

_MOST_ZEROS = 1.0


class MaskOptions(Record, frozen=True):
    """How many zeros, where, when they come, and how they move.

    Attributes:
        zeros: share of zeros in the layers that are pruned, all together.
        masks: "fixed", the zeros of the beginning, and those of least magnitude then; "magnitude",
            more and more of least magnitude along a cubic curve; "rigl", which begins as "fixed"
            does and moves zeros: weights of least magnitude are dropped, and those of largest
            gradient grow.
        allocation: "uniform", or "erk": layers keep weights in proportion to the sum of their
            dimensions, so that small ones keep more.
        zeros_of: share of zeros for layers by a glob pattern of their names, the first that
            matches; the others take what is left.
        recipe: a file that `tflite-sparse sweep --recipe` wrote, which says how many zeros each
            layer has, and in what blocks; `zeros`, `allocation`, `zeros_of` and `block` do not
            count then.
        block: neighbouring output channels that have their zeros together: 1, 2 or 4.
        steps: steps of the optimizer in the whole training.
        begin: share of the steps before which "magnitude" makes no zeros.
        ramp: share of the steps after which it has made all of them.
        every: steps between changes of the masks.
        drop: share of the weights that RigL moves at first; it falls to none by a cosine until
            three quarters of the steps.
    """

    zeros: float = 0.8
    masks: MaskKind = "rigl"
    allocation: str = "uniform"
    zeros_of: dict[str, float] = {}  # noqa: RUF012 - a default that msgspec copies
    recipe: str | None = None
    block: int = 1
    steps: int = 1000
    begin: float = 0.0
    ramp: float = 0.5
    every: int = 25
    drop: float = 0.3

    def __post_init__(self) -> None:
        shares: Mapping[str, float] = {"zeros": self.zeros, **self.zeros_of}
        for name, share in shares.items():
            if not 0 <= share < _MOST_ZEROS:
                raise UsageError(f"a share of zeros is from 0 to below 1, {name} is {share}")
        for name in ("steps", "every"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"{name} is a whole number, 1 or more, was {value}")
        if not 0 <= self.begin <= self.ramp <= 1:
            raise UsageError(
                f"begin and ramp are shares of the steps in that order, were {self.begin}"
                f" and {self.ramp}"
            )
        if not 0 <= self.drop < 1:
            raise UsageError(f"drop is from 0 to below 1, was {self.drop}")
        kinds = get_args(MaskKind)
        if self.masks not in kinds:
            raise UsageError(f"masks is one of {', '.join(kinds)}, was {self.masks!r}")
        spread = (Allocation.UNIFORM.value, Allocation.ERK.value)
        if self.allocation not in spread:
            raise UsageError(f"allocation is {' or '.join(spread)}, was {self.allocation!r}")
        if self.block not in (1, *BLOCK_CHANNELS):
            raise UsageError(f"there are no kernels for blocks of {self.block}", hint="1, 2 or 4")

    def schedule(self) -> Schedule:
        """How masks change."""
        return Schedule(self.masks, self.steps, self.begin, self.ramp, self.every, self.drop)
