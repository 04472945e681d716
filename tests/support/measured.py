"""Measurements on a machine that may be busy with something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["measured"]

_TRIES = 8


def measured(quantity: Callable[[], float], *, above: float, below: float = float("inf")) -> float:
    """Measures until a quantity lies within bounds; what else runs may disturb a few measurements.

    Args:
        quantity: measures it once.
        above: the lower bound.
        below: the upper bound.

    Returns:
        The measurement within the bounds.

    Raises:
        AssertionError: it never did.
    """
    seen = []
    for _ in range(_TRIES):
        seen.append(quantity())
        if above < seen[-1] < below:
            return seen[-1]
    raise AssertionError(f"never between {above} and {below}: {seen}")
