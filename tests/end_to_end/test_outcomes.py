"""What comes of every model is what was recorded in outcomes.md and read line by line."""

from __future__ import annotations

import pytest

from tests.outcomes import RECORDED, group_of, groups, line, outcomes, sources

pytestmark = pytest.mark.slow


def recorded() -> dict[str, str]:
    """The recorded lines by the names of their models."""
    lines = [text for text in RECORDED.read_text("utf-8").splitlines() if text.startswith("| ")]
    return {text.split(" | ")[0].removeprefix("| "): text for text in lines[1:]}


@pytest.mark.parametrize("group", groups())
def test_what_comes_of_the_models_is_what_was_reviewed(group: str) -> None:
    lines = [line(row) for row in outcomes(group)]
    assert lines
    assert lines == [text for name, text in recorded().items() if group_of(name) == group]


def test_no_model_is_recorded_that_is_not_there() -> None:
    assert list(recorded()) == [name for name, _ in sources()]
