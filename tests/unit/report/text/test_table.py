"""Tables as wide as the terminal: names are shortened, sentences go on in the next line."""

from __future__ import annotations

from tflite_sparse.report.text.table import Column, table

CHANGE = "padded 1 on every side, its kernel turned"


def lines(width: int, *, wraps: bool) -> list[str]:
    columns = [
        Column("pass"),
        Column("change", gives_way=True, wraps=wraps),
        Column("bytes", right=True),
    ]
    rows = [["windows", CHANGE, "+32"], ["mirror", "reversed", "+8"]]
    return [str(line) for line in table(columns, rows, width)]


def test_a_sentence_that_has_no_room_goes_on_in_the_next_line() -> None:
    found = lines(40, wraps=True)
    assert found == [
        "  pass     change                  bytes",
        "  windows  padded 1 on every         +32",
        "             side, its kernel",
        "             turned",
        "  mirror   reversed                   +8",
    ]


def test_a_sentence_with_room_stays_in_its_line_and_a_name_is_shortened() -> None:
    assert len(lines(80, wraps=True)) == len(lines(40, wraps=False)) == 3
    assert CHANGE in lines(80, wraps=True)[1]
    assert "…" in lines(40, wraps=False)[1]


def test_a_word_that_is_longer_than_its_column_is_cut() -> None:
    found = table([Column("a", gives_way=True, wraps=True)], [["x" * 50 + " end"]], 20)
    assert max(map(len, map(str, found))) <= 20
    assert str(found[-1]).strip() == "end"
