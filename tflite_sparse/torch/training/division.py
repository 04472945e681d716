"""Which samples are trained on, and which only tell how far a training is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Division", "divide"]


class Division(NamedTuple):
    """Samples by their numbers.

    Attributes:
        held_out: those that are never trained on, shape (n,).
        trained_on: the others, shape (m,), in no order.
    """

    held_out: NDArray[np.int64]
    trained_on: NDArray[np.int64]


def divide(count: int, held_out: float, seed: int) -> Division:
    """Holds samples out, the same ones each time; one at least of two or more.

    What a training begins with must not be fitted to those either: they would tell that nothing is
    as good as the beginning.

    Args:
        count: how many samples there are.
        held_out: the share to hold out.
        seed: makes the choice.
    """
    order = np.random.default_rng(seed).permutation(count)
    aside = min(max(round(held_out * count), 1), count - 1)
    return Division(order[:aside], order[aside:])
