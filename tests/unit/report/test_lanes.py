"""Graphs as lanes beside a list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.report.lanes import Row, lay_out, rails


def _drawn(sources: dict[int, list[int]], most: int = 8) -> list[str]:
    rows = lay_out(sorted(sources), sources, most)
    lanes = max(max([row.lane, *row.passing, *row.arriving]) for row in rows) + 1
    return [rails(row, "o", lanes).rstrip() for row in rows]


def test_a_chain_is_one_lane() -> None:
    assert _drawn({0: [], 1: [0], 2: [1]}) == ["o", "o", "o"]


def test_a_residual_runs_beside_what_it_jumps_over() -> None:
    assert _drawn({0: [], 1: [0], 2: [1], 3: [0, 2], 4: [3]}) == ["o", "├─o", "│ o", "o─╯", "o"]


def test_a_lane_that_is_crossed_is_not_joined() -> None:
    # 0 goes to 3 in lane 0, 1 to 4 in lane 1; 2 reads neither.
    drawn = _drawn({0: [], 1: [], 2: [], 3: [0, 2], 4: [1]})
    assert drawn == ["o", "│ o", "│ │ o", "o─│─╯", "  o"]


def test_three_values_join_at_once() -> None:
    assert _drawn({0: [], 1: [], 2: [], 3: [0, 1, 2]})[-1] == "o─┴─╯"
    assert _drawn({0: [], 1: [], 2: [], 3: [0, 1, 2], 4: [1]})[-2:] == ["o─┼─╯", "  o"]


def test_below_an_operator_what_is_still_read_runs_on() -> None:
    assert rails(Row(1, passing=[0], leaving=True).below(), " ", 2) == "│ │"
    assert rails(Row(1, passing=[0]).below(), " ", 2) == "│  "


def test_lanes_beyond_the_most_share_the_last() -> None:
    sources: dict[int, list[int]] = {i: [] for i in range(9)}
    sources[9] = list(range(9))
    assert max(map(len, _drawn(sources, most=3))) == 5


@given(st.data())
def test_every_value_that_is_read_has_a_lane_from_its_source_to_its_last_reader(
    data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, 20))
    sources = {
        i: data.draw(st.lists(st.integers(0, i - 1), unique=True, max_size=3)) if i else []
        for i in range(count)
    }
    rows = lay_out(range(count), sources, most=count)
    # Follow each value down: the lane that it leaves in is passed, then arrives where it is read.
    for source in range(count):
        readers = [i for i in range(count) if source in sources[i]]
        assert rows[source].leaving == bool(readers)
        if not readers:
            continue
        lane = rows[source].lane
        for i in range(source + 1, readers[-1] + 1):
            assert (lane in rows[i].arriving) == (i in readers)
            if i != readers[-1]:
                assert lane in rows[i].passing
                assert rows[i].lane != lane
