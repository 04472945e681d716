"""The examples of PyTorch in docs/own-training.md run as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.training.examples import examples
from tests.support.training.sequential import install

ROOT = Path(__file__).parents[3]


def test_the_examples_run(monkeypatch, capsys):
    install(monkeypatch)
    names: dict[str, Any] = {}
    exec(compile(examples("PyTorch"), "docs/own-training.md", "exec"), names)  # noqa: S102
    assert names["layers"].names == ("2.0", "4.0")
    assert [round(float((names["net"][n][0].weight == 0).float().mean()), 2) for n in (2, 4)] == [
        0.8,
        0.8,
    ]
    printed = capsys.readouterr().out
    assert "zeros count in 2 of 6 layers" in printed
    assert "step 12: 80" in printed


@pytest.mark.parametrize("name", ["table.md", "long_table.md"])
def test_the_page_has_the_tables_that_were_made(name):
    table = (ROOT / "tests" / "end_to_end" / "training" / name).read_text("utf-8")
    assert table in (ROOT / "docs" / "own-training.md").read_text("utf-8")
