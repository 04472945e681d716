"""Numbers as people read them."""

from __future__ import annotations

import pytest

from tflite_sparse.words.numbers import count_of, millions, percent, shape, size, type_name


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 10, "0 %"),
        (10, 10, "100 %"),
        (1, 100_000, "0.1 %"),
        (99_999, 100_000, "99.9 %"),
        (2, 3, "66.7 %"),
        (0, 0, "0 %"),
    ],
)
def test_only_none_and_all_show_as_such(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


def test_shares_have_no_limit() -> None:
    assert percent(10**400, 4 * 10**400) == "25.0 %"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (2**20, "1.0 MiB"), (3 * 2**29, "1.5 GiB")],
)
def test_bytes_show_in_their_largest_unit(count: int, text: str) -> None:
    assert size(count) == text


def test_a_dynamic_size_shows_as_a_question() -> None:
    assert shape((-1, 3)) == "?x3"
    assert shape(()) == "scalar"


def test_millions_have_no_limit() -> None:
    assert millions(123_456) == "123,456"
    assert millions(429_859_360) == "429.9 M"
    assert millions(10**400).endswith(",000.0 M")


def test_nouns_agree_with_their_number() -> None:
    assert count_of(1, "subgraph") == "1 subgraph"
    assert count_of(1200, "operator") == "1,200 operators"


def test_types_are_called_what_people_call_them() -> None:
    assert [type_name(kind) for kind in ("FLOAT16", "INT8")] == ["fp16", "int8"]
