"""The walks of docs/dev can be followed as they stand."""

from __future__ import annotations

import pytest

from tests.support.docs.walks import WALKS, changed, follow


@pytest.mark.parametrize("page", WALKS)
def test_a_walk_can_be_followed(page, tmp_path):
    commands = follow(page, tmp_path)
    assert any(" -m pytest " in command for command in commands)


def test_all_four_walks_are_there():
    assert len(WALKS) == 4


def test_a_change_that_does_not_fit_is_no_change():
    assert changed("a\nb\n", " a\n+x\n b\n") == "a\nx\nb\n"
    with pytest.raises(AssertionError, match="0 times"):
        changed("a\nb\n", " c\n+x\n")
    with pytest.raises(AssertionError, match="2 times"):
        changed("a\na\n", " a\n+x\n")
