"""Lays a graph out as lanes beside its operators: a value runs down a lane to its readers.

The lanes of a row are drawn alone, so that rows stay rows: they wrap onto pages, and text is text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["HEIGHT", "LANE", "MOST_LANES", "Row", "lane_x", "lay_out", "row_path"]

LANE = 14
"""Width of a lane in pixels."""

HEIGHT = 26
"""Height of a row in pixels."""

MOST_LANES = 8
"""Lanes that are drawn apart; further ones lie in the last."""


@dataclass(slots=True)
class Row:
    """What is drawn beside an operator.

    Attributes:
        lane: the lane of the operator.
        passing: lanes that run past it.
        arriving: lanes that come from above and are read here.
        leaving: whether its own value is read further down.
    """

    lane: int
    passing: list[int] = field(default_factory=list)
    arriving: list[int] = field(default_factory=list)
    leaving: bool = False


def lay_out(order: Sequence[int], sources: Mapping[int, Sequence[int]]) -> list[Row]:
    """The rows of operators.

    Args:
        order: the operators that are shown, in their order.
        sources: for each of them the operators that it reads; those not shown are left out.
    """
    place = {operator: number for number, operator in enumerate(order)}
    last: dict[int, int] = {}
    for operator in order:
        for source in sources.get(operator, ()):
            if place.get(source, len(order)) < place[operator]:
                last[source] = operator
    lanes: list[int | None] = []
    rows = []
    for operator in order:
        read = set(sources.get(operator, ()))
        arriving = [n for n, value in enumerate(lanes) if value is not None and value in read]
        ending = [n for n in arriving if last[lanes[n]] == operator]  # type: ignore[index]
        passing = [n for n, value in enumerate(lanes) if value is not None and n not in ending]
        for lane in ending:
            lanes[lane] = None
        lane = ending[0] if ending else _free(lanes)
        row = Row(lane, passing, arriving, leaving=operator in last)
        if row.leaving:
            _put(lanes, lane, operator)
        rows.append(_narrowed(row))
        while lanes and lanes[-1] is None:
            lanes.pop()
    return rows


def _free(lanes: list[int | None]) -> int:
    return next((n for n, value in enumerate(lanes) if value is None), len(lanes))


def _put(lanes: list[int | None], lane: int, operator: int) -> None:
    lanes.extend([None] * (lane + 1 - len(lanes)))
    lanes[lane] = operator


def _narrowed(row: Row) -> Row:
    def within(lanes: list[int]) -> list[int]:
        return sorted({min(lane, MOST_LANES - 1) for lane in lanes})

    lane = min(row.lane, MOST_LANES - 1)
    return Row(lane, within(row.passing), within(row.arriving), row.leaving)


def lane_x(lane: int) -> int:
    """The middle of a lane."""
    return lane * LANE + LANE // 2


def row_path(row: Row) -> str:
    """The lines of a row, as the data of an SVG path `HEIGHT` high."""
    middle, x = HEIGHT // 2, lane_x(row.lane)
    parts = [f"M{lane_x(lane)} 0V{HEIGHT}" for lane in row.passing]
    for lane in row.arriving:
        start = lane_x(lane)
        if lane == row.lane:
            parts.append(f"M{start} 0V{middle}")
        else:
            parts.append(f"M{start} 0C{start} {middle} {x} 0 {x} {middle}")
    if row.leaving:
        parts.append(f"M{x} {middle}V{HEIGHT}")
    return "".join(parts)
