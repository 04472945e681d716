"""From which share of zeros on a model runs sparse, faster, and twice as fast."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from tflite_sparse.sweeping.result import Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from tflite_sparse.sweeping.result import PredictedTime, SweepPoint

    _Costs: TypeAlias = tuple[float | None, float | None]
    _By: TypeAlias = Callable[[PredictedTime], _Costs]
    """Of the model that is swept, on dense kernels, and of a file."""

__all__ = ["thresholds"]

_NEAR = 0.01
"""Shares are told to a hundredth."""
_TWICE = 2.0


def thresholds(
    points: Sequence[SweepPoint],
    targets: Sequence[str],
    least: float,
    look: Callable[[float], SweepPoint],
) -> tuple[Threshold, ...]:
    """From which shares on it pays, by the prediction.

    Between two points that run the same operators sparse the time falls on a line; elsewhere the
    place is searched for.

    Args:
        points: the points, in rising order of their zeros.
        targets: the targets.
        least: where the rule of two thirds begins to hold, at which most models change.
        look: predicts a further point.
    """
    search = partial(_first, points, least=least, look=cache(look))
    return tuple(
        Threshold(
            target,
            search(target, _runs_sparse(points, target)),
            *(
                search(target, _wins(by, gain), by, gain)
                for by in (_ms, _instructions)
                for gain in (1.0, _TWICE)
            ),
        )
        for target in targets
    )


def _runs_sparse(points: Sequence[SweepPoint], target: str) -> Callable[[PredictedTime], bool]:
    most = max(point.time(target).sparse for point in points)
    return lambda time: 0 < most <= time.sparse


def _ms(time: PredictedTime) -> _Costs:
    return time.dense_ms, time.ms


def _instructions(time: PredictedTime) -> _Costs:
    return time.dense_instructions, time.instructions


def _wins(by: _By, gain: float) -> Callable[[PredictedTime], bool]:
    """Whether a file takes so many times less than the model that is swept."""

    def holds(time: PredictedTime) -> bool:
        dense, now = by(time)
        return dense is not None and now is not None and 0 < now * gain < dense

    return holds


def _first(
    points: Sequence[SweepPoint],
    target: str,
    holds: Callable[[PredictedTime], bool],
    by: _By | None = None,
    gain: float = 1.0,
    *,
    least: float,
    look: Callable[[float], SweepPoint],
) -> float | None:
    """The smallest share at which something holds, and goes on to hold."""
    last = len(points)
    while last and holds(points[last - 1].time(target)):
        last -= 1
    if last == len(points):
        return None
    if not last:
        return points[0].share
    below, above = points[last - 1], points[last]
    low, high = below.time(target), above.time(target)
    if by is not None and low.sparse == high.sparse:
        (dense, start), (_, end) = by(low), by(high)
        if dense and start and end:
            part = (start - dense / gain) / (start - end)
            return below.share + part * (above.share - below.share)
    first = least - _NEAR / 2
    share = first if below.share < first < above.share else (below.share + above.share) / 2
    while above.share - below.share > _NEAR:
        middle = look(share)
        if holds(middle.time(target)):
            above = middle
        else:
            below = middle
        share = (below.share + above.share) / 2
    return above.share
