"""Draws the lanes beside an operator, a row alone: rows wrap onto pages, and their text is text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.svg.element import Svg, element

if TYPE_CHECKING:
    from tflite_sparse.inspection.dispositions import DispositionKind
    from tflite_sparse.report.lanes import Row

__all__ = ["HEIGHT", "LANE", "lane_x", "lanes", "lanes_of", "row_path"]

LANE = 14
"""Width of a lane in pixels."""

HEIGHT = 26
"""Height of a row in pixels."""


def lanes(row: Row, kind: DispositionKind) -> Svg:
    """The lanes beside an operator, with the shape of its disposition on its own."""
    return element(
        "svg",
        element("path", d=row_path(row)),
        element("use", href=f"#n-{kind.value}", x=lane_x(row.lane), y=HEIGHT // 2),
        class_="lane",
        width=lanes_of(row) * LANE,
    )


def lane_x(lane: int) -> int:
    """The middle of a lane."""
    return lane * LANE + LANE // 2


def lanes_of(row: Row) -> int:
    """How many lanes a row takes."""
    return max([row.lane, *row.passing, *row.arriving]) + 1


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
