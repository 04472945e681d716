"""The lines beside an operator."""

from __future__ import annotations

import itertools
import re

from tflite_sparse.report.html.svg.lanes import HEIGHT, lane_x, lanes_of, row_path
from tflite_sparse.report.lanes import Row, lay_out


def test_the_lines_of_a_row_begin_and_end_at_its_edges() -> None:
    path = row_path(Row(1, passing=[0], arriving=[0, 2], leaving=True))
    starts = re.findall(r"M(\S+) (\d+)", path)
    assert starts == [("7", "0"), ("7", "0"), ("35", "0"), ("21", str(HEIGHT // 2))]
    assert path.count(f"V{HEIGHT}") == 2
    assert lanes_of(Row(1, passing=[0], arriving=[0, 2], leaving=True)) == 3


def test_lines_meet_from_row_to_row() -> None:
    sources = {0: [], 1: [0], 2: [1], 3: [0, 2], 4: [3]}
    paths = [row_path(row) for row in lay_out(list(sources), sources)]
    for above, below in itertools.pairwise(paths):
        # Moves that go on to the bottom edge, and those that begin at the top edge.
        leaving = set(re.findall(rf"M(\d+) \d+V{HEIGHT}", above))
        assert leaving == set(re.findall(r"M(\d+) 0", below))


def test_an_operator_without_neighbours_has_no_lines() -> None:
    assert row_path(Row(0)) == ""
    assert lane_x(0) == 7
