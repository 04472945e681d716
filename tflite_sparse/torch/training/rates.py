"""The learning rate with which short trainings come nearest to the dense model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from tflite_sparse.records import Amount, Record

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COST", "LearningRate", "TriedRate", "find_rate", "rate_share", "trial_batches"]

COST = 0.05
"""Share of the batches of a training that short trainings before it take, all together."""
_RATES = (1e-3, 3e-4, 1e-4)
_SMALL = 3e-5  # where none of them will do
_FEWEST, _MOST = 3, 40
_UNTRIED = 1e-4
_WARM_UP = 0.05
_NEAR = 1.07


class TriedRate(Record, frozen=True):
    """A learning rate that was tried.

    Attributes:
        rate: it.
        loss: the loss after a short training as a multiple of that before it, on samples that the
            short training did not see; null where it was not finite.
    """

    rate: Amount
    loss: Amount | None


class LearningRate(Record, frozen=True):
    """The largest learning rate of a training.

    Attributes:
        rate: it.
        source: "given" by the user; "tried", as short trainings told; or "untried", where there are
            too few batches for these.
        tried: those that were tried, in their order; the rate is a smaller one where each of them
            undid what was there.
    """

    rate: Amount
    source: Literal["given", "tried", "untried"]
    tried: tuple[TriedRate, ...] = ()


def trial_batches(steps: int) -> int:
    """Batches of each short training, 0 where there are too few for any.

    Args:
        steps: batches of the whole training.
    """
    each = min(int(COST * steps / len(_RATES)), _MOST)
    return each if each >= _FEWEST else 0


def find_rate(loss_after: Callable[[float], float] | None) -> LearningRate:
    """The largest rate with which a short training comes about as near as any does.

    About: what small rates win at first, large ones may win later, so that those within 7 % of the
    least loss are taken. A short training may also win nothing by chance: digits with 80 % zeros
    end at 1.007 times the loss of the beginning with 1e-3, and a whole training with that at 0.66.

    Args:
        loss_after: trains shortly from the same beginning with a rate, and gives the loss as a
            multiple of that before; None where there is no room for that.
    """
    if loss_after is None:
        return LearningRate(_UNTRIED, "untried")
    losses = {rate: loss_after(rate) for rate in _RATES}
    tried = tuple(
        TriedRate(rate, loss if loss < float("inf") else None) for rate, loss in losses.items()
    )
    known = [one.loss for one in tried if one.loss is not None]
    least = min(known, default=math.inf)
    if least > _NEAR:
        return LearningRate(_SMALL, "tried", tried)
    rate = next(one.rate for one in tried if one.loss is not None and one.loss <= _NEAR * least)
    return LearningRate(rate, "tried", tried)


def rate_share(step: int, steps: int) -> float:
    """The share of the largest learning rate at a step: it rises, then falls by a cosine."""
    warm = max(int(_WARM_UP * steps), 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))
