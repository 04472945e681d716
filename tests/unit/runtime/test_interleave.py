"""Models that take turns come first as often as last."""

from __future__ import annotations

import pytest

from tflite_sparse.runtime.interleave import there_and_back


@pytest.mark.parametrize(("turns", "order"), [(0, ""), (1, "abc"), (2, "abccba"), (3, "abccbaabc")])
def test_every_other_turn_begins_with_the_last(turns: int, order: str) -> None:
    assert "".join(there_and_back("abc", turns)) == order
