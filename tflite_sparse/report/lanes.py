"""Lays a graph out as lanes beside its operators: a value runs down a lane to its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Row", "lay_out", "rails"]


class Row(msgspec.Struct, frozen=True):
    """What is drawn beside an operator.

    Attributes:
        lane: the lane of the operator.
        passing: lanes that run past it.
        arriving: lanes that come from above and are read here.
        leaving: whether its own value is read further down.
    """

    lane: int
    passing: list[int] = []
    arriving: list[int] = []
    leaving: bool = False

    def below(self) -> Row:
        """What runs on below the operator: a row without one."""
        return Row(self.lane, sorted({*self.passing, *([self.lane] if self.leaving else ())}))


def lay_out(order: Sequence[int], sources: Mapping[int, Sequence[int]], most: int = 8) -> list[Row]:
    """The rows of operators.

    Args:
        order: the operators that are shown, in their order.
        sources: for each of them the operators that it reads; those not shown are left out.
        most: lanes that are drawn apart; further ones lie in the last.
    """
    place = {operator: number for number, operator in enumerate(order)}
    last: dict[int, int] = {}
    for operator in order:
        for source in sources.get(operator, ()):
            if place.get(source, len(order)) < place[operator]:
                last[source] = operator
    # Of each lane the operator whose value runs down it.
    lanes: list[int | None] = []
    rows = []
    for operator in order:
        read = set(sources.get(operator, ()))
        arriving = [n for n, value in enumerate(lanes) if value is not None and value in read]
        ending = [n for n, value in enumerate(lanes) if value in read and last[value] == operator]
        passing = [n for n, value in enumerate(lanes) if value is not None and n not in ending]
        for lane in ending:
            lanes[lane] = None
        lane = ending[0] if ending else _free(lanes)
        leaving = operator in last
        if leaving:
            lanes.extend([None] * (lane + 1 - len(lanes)))
            lanes[lane] = operator
        rows.append(Row(*_within(most, lane, passing, arriving), leaving))
        while lanes and lanes[-1] is None:
            lanes.pop()
    return rows


def _free(lanes: list[int | None]) -> int:
    return next((n for n, value in enumerate(lanes) if value is None), len(lanes))


def _within(
    most: int, lane: int, passing: list[int], arriving: list[int]
) -> tuple[int, list[int], list[int]]:
    def narrowed(lanes: list[int]) -> list[int]:
        return sorted({min(one, most - 1) for one in lanes})

    return min(lane, most - 1), narrowed(passing), narrowed(arriving)


def rails(row: Row, mark: str, lanes: int) -> str:
    """A row as text, two characters a lane.

    Args:
        row: the row.
        mark: the character that stands for the operator; a blank where there is none.
        lanes: how many lanes there are.
    """
    cells = [" "] * (2 * lanes)
    for lane in row.passing:
        cells[2 * lane] = "│"
    for side in (-1, 1):
        joining = [lane for lane in row.arriving if (lane - row.lane) * side > 0]
        if joining:
            _join(cells, row, joining, side)
    if mark.strip():
        cells[2 * row.lane] = mark
    return "".join(cells).rstrip().ljust(2 * lanes - 1)


def _join(cells: list[str], row: Row, joining: list[int], side: int) -> None:
    """Draws lines from lanes on one side to the operator."""
    outermost = max(joining) if side > 0 else min(joining)
    start, stop = sorted((2 * row.lane, 2 * outermost))
    for place in range(start, stop + 1):
        lane, between = divmod(place, 2)
        if between or cells[place] == " ":
            cells[place] = "─"
        elif lane not in joining:
            # A lane that is crossed and not read.
            cells[place] = "│"
        elif lane != outermost:
            cells[place] = "┼"
        else:
            cells[place] = "┤" if side > 0 else "├"
    for lane in joining:
        if lane not in row.passing:
            cells[2 * lane] = ("╯" if side > 0 else "╰") if lane == outermost else "┴"
