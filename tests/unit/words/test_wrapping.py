"""Text in lines of a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.words.wrapping import wrapped

WORDS = st.lists(st.sampled_from(["zeros", "of", "the 1x1", "80 %", "66.7 %", "long-word"]))


@given(WORDS, st.integers(12, 40))
def test_a_per_cent_sign_stays_with_its_number(words: list[str], width: int) -> None:
    rows = wrapped(" ".join(words), width, first="- ", rest="  ")
    assert all(len(row) <= width for row in rows)
    assert not any(row.strip().startswith("%") for row in rows)
    assert " ".join(" ".join(rows).split()) == " ".join(["-", *" ".join(words).split()]) or not rows
