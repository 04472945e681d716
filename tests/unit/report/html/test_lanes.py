"""Lanes: every value runs from the operator that makes it to each that reads it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.report.html.lanes import HEIGHT, MOST_LANES, Row, lay_out, row_path


@st.composite
def graphs(draw: st.DrawFn, most: int = 2) -> dict[int, list[int]]:
    """Operators with the operators before them that they read."""
    count = draw(st.integers(1, 25))
    return {
        n: sorted(draw(st.sets(st.integers(max(0, n - 4), n - 1), max_size=most))) if n else []
        for n in range(count)
    }


def lane_of_value(rows: list[Row], source: int, reader: int) -> bool:
    """Whether the lane of a value goes down from its operator to a reader without a gap."""
    lane = rows[source].lane
    between = all(lane in rows[n].passing for n in range(source + 1, reader))
    return rows[source].leaving and between and lane in rows[reader].arriving


@given(graphs())
def test_every_reading_is_a_lane_from_maker_to_reader(graph: dict[int, list[int]]) -> None:
    rows = lay_out(list(graph), graph)
    if max(max([row.lane, *row.passing]) for row in rows) < MOST_LANES - 1:
        for reader, sources in graph.items():
            for source in sources:
                assert lane_of_value(rows, source, reader)
            assert len(rows[reader].arriving) == len(sources)


@given(graphs())
def test_an_operator_lies_on_no_lane_that_runs_past_it(graph: dict[int, list[int]]) -> None:
    rows = lay_out(list(graph), graph)
    if max(max([row.lane, *row.passing]) for row in rows) < MOST_LANES - 1:
        assert all(row.lane not in row.passing for row in rows)


@given(graphs(most=4))
def test_there_are_never_more_lanes_than_room(graph: dict[int, list[int]]) -> None:
    for row in lay_out(list(graph), graph):
        lanes = [row.lane, *row.passing, *row.arriving]
        assert max(lanes) < MOST_LANES
        assert len(set(row.passing)) == len(row.passing)


def test_a_residual_keeps_its_lane_while_the_branch_has_another() -> None:
    rows = lay_out([0, 1, 2, 3], {1: [0], 2: [1], 3: [0, 2]})
    assert [row.lane for row in rows] == [0, 1, 1, 0]
    assert [row.passing for row in rows] == [[], [0], [0], []]
    assert rows[3].arriving == [0, 1]


def test_operators_that_are_not_shown_and_backward_reads_draw_nothing() -> None:
    rows = lay_out([5, 6], {5: [1, 6], 6: [5]})
    assert rows[0].arriving == []
    assert rows[1].arriving == [0]


def test_the_lines_of_a_row_begin_and_end_at_its_edges() -> None:
    path = row_path(Row(1, passing=[0], arriving=[0, 2], leaving=True))
    starts = re.findall(r"M(\S+) (\d+)", path)
    assert starts == [("7", "0"), ("7", "0"), ("35", "0"), ("21", str(HEIGHT // 2))]
    assert path.count(f"V{HEIGHT}") == 2
