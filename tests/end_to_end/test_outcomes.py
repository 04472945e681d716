"""What comes of every model is what was recorded in outcomes.md and read line by line."""

from __future__ import annotations

import pytest

from tests.outcomes import group_of, groups, line, outcomes, recorded, sources


@pytest.mark.slow
@pytest.mark.parametrize("group", groups())
def test_what_comes_of_the_models_is_what_was_reviewed(group: str) -> None:
    lines = [line(row) for row in outcomes(lambda name: group_of(name) == group)]
    assert lines
    assert lines == [text for name, text in recorded().items() if group_of(name) == group]


def test_every_model_is_recorded_and_no_other() -> None:
    assert list(recorded()) == [name for name, _ in sources()]
