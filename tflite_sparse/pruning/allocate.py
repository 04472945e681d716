"""Spreads zeros over filters so that the predicted loss is least for what may be kept."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.densities import least_zeros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tflite_sparse.pruning.filters import Selected

__all__ = ["GRID", "Curve", "allocated"]

GRID = (0.03, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.36, 0.43, 0.5, 0.6, 0.75, 1.0)
"""Shares of values at which losses are known."""


class Curve(NamedTuple):
    """What a filter costs and loses for the share of values that it keeps.

    Attributes:
        losses: the loss at each share of `shares`.
        shares: the shares, ascending.
        size: number of its values.
        price: what a value costs that is kept.
    """

    losses: Sequence[float]
    shares: Sequence[float]
    size: int
    price: float = 1.0

    @property
    def cost(self) -> float:
        """What all values cost."""
        return self.size * self.price


def allocated(selected: Selected, curves: Sequence[Curve], kept: float) -> list[float]:
    """The share of values that each filter keeps.

    The losses are made convex, and what wins most for a value that is kept is kept first: that is
    the least loss for the budget. A cluster that would have too few zeros is given its own budget.

    Args:
        selected: the filters.
        curves: one for each.
        kept: the share of the cost of all values that those that stay may have.

    Raises:
        UsageError: there cannot be so few.
    """
    total = kept * sum(curve.cost for curve in curves)
    shares = _greedy(curves, total)
    filters = selected.filters
    for cluster in sorted({p.cluster for p in filters}):
        own = [i for i, p in enumerate(filters) if p.cluster == cluster]
        most = (1 - least_zeros(selected, cluster)) * sum(curves[i].size for i in own)
        if sum(shares[i] * curves[i].size for i in own) > most:
            for index, share in zip(
                own, _greedy([_by_values(curves[i]) for i in own], most), strict=True
            ):
                shares[index] = share
    return shares


def _by_values(curve: Curve) -> Curve:
    return curve._replace(price=1.0)


def _greedy(curves: Sequence[Curve], budget: float) -> list[float]:
    shares = [curve.shares[0] for curve in curves]
    left = budget - sum(share * c.cost for share, c in zip(shares, curves, strict=True))
    if left < -1e-9 * max(budget, 1):
        raise UsageError(
            "there are more zeros asked for than the filters can be given",
            hint="ask for fewer, or spread them evenly: --allocate uniform",
        )
    steps = [step for index, curve in enumerate(curves) for step in _steps(index, curve)]
    for _, index, share in sorted(steps, key=lambda step: (-step[0], step[2])):
        cost = curves[index].cost
        part = min(share - shares[index], left / cost)
        shares[index] += part
        left -= part * cost
        if left <= 0:
            break
    return shares


def _steps(index: int, curve: Curve) -> list[tuple[float, int, float]]:
    """Where the lower hull of a curve leads: (what a value wins, filter, share)."""
    losses = np.minimum.accumulate(np.asarray(curve.losses, np.float64))
    hull = [0]
    for point in range(1, len(curve.shares)):
        while len(hull) > 1 and _slope(curve, losses, hull[-2], hull[-1]) <= _slope(
            curve, losses, hull[-2], point
        ):
            hull.pop()
        hull.append(point)
    return [
        (_slope(curve, losses, one, two), index, curve.shares[two]) for one, two in pairwise(hull)
    ]


def _slope(curve: Curve, losses: NDArray[np.float64], one: int, two: int) -> float:
    """What is won for what it costs to go from one share to another."""
    more = (curve.shares[two] - curve.shares[one]) * curve.cost
    return float((losses[one] - losses[two]) / more) if more else 0.0
