"""Headings, labels and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.report.text.headings import heading, labelled
from tflite_sparse.report.text.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Sequence


def _plain(lines: Sequence[object]) -> list[str]:
    return [getattr(line, "plain", "") for line in lines]


@given(st.lists(st.text("ab c_/", min_size=1, max_size=90), min_size=1), st.integers(40, 120))
def test_labelled_lines_fit_the_width(items: list[str], width: int) -> None:
    assert all(len(line.plain) <= width for line in labelled("Label", items, width))


def test_items_wrap_between_items_under_the_first() -> None:
    lines = _plain(labelled("Ops", ["A" * 20, "B" * 20, "C" * 20], 60))
    assert lines == ["  Ops         " + "A" * 20 + " · " + "B" * 20, " " * 14 + "C" * 20]


def test_items_beyond_the_limit_are_counted() -> None:
    assert _plain(labelled("Ops", ["A", "B", "C"], 60, 2)) == ["  Ops         A · B · and 1 more"]


def test_a_label_wider_than_its_column_has_a_line_of_its_own() -> None:
    assert _plain(labelled("empty.tflite", ["no model"], 60)) == [
        "  empty.tflite",
        " " * 14 + "no model",
    ]


def test_a_sentence_wraps_between_words() -> None:
    lines = _plain(labelled("Why", ["the quick brown fox jumps over the lazy dog"], 40))
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(line[14:] for line in lines) == "the quick brown fox jumps over the lazy dog"


def test_a_heading_keeps_its_note_and_shortens_its_path() -> None:
    line = heading("/a/very/long/path/to/some/model.tflite", "2.8 MiB", 30).plain
    assert len(line) == 30
    assert line.endswith("  2.8 MiB")
    assert "model.tflite" in line


def test_only_the_column_that_gives_way_is_shortened() -> None:
    columns = [Column("#", right=True), Column("name", gives_way=True), Column("size", right=True)]
    rows = [["1", "x" * 50, "123"], ["20", "short", "4"]]
    lines = _plain(table(columns, rows, 30))
    assert all(len(line) <= 30 for line in lines)
    assert lines[0].split() == ["#", "name", "size"]
    assert lines[1].endswith("  123")
    assert lines[2].startswith("  20  short")


def test_a_table_without_rows_has_its_heading() -> None:
    assert _plain(table([Column("a"), Column("b")], [], 40)) == ["  a  b"]
