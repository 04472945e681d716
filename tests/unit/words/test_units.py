"""Sizes and shares mean the same wherever they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.cli import values
from tflite_sparse.errors import UsageError
from tflite_sparse.lint.config.config import read_config
from tflite_sparse.words.units import parse_share, parse_size

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("4 MiB", 4 * 2**20),
        ("64K", 65_536),
        ("64k", 65_536),
        ("64 KiB", 65_536),
        ("64KB", 64_000),
        ("64 kB", 64_000),
        ("1.5kb", 1500),
        ("1G", 2**30),
        ("1GB", 10**9),
        ("12 B", 12),
        ("10_000", 10_000),
        (".5K", 512),
        ("1e3", 1000),
        (2048, 2048),
        (0, 0),
    ],
)
def test_a_size_may_have_a_unit(text: object, wanted: float) -> None:
    assert parse_size(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"), [("70%", 0.7), ("70 %", 0.7), (0.25, 0.25), ("1e-3", 1e-3), ("250%", 2.5)]
)
def test_a_share_may_be_a_percentage(text: object, wanted: float) -> None:
    assert parse_share(text) == pytest.approx(wanted)


@pytest.mark.parametrize("value", ["", "MiB", "4 parsecs", "-1", True, None, [1], float("nan")])
def test_what_is_no_amount_is_refused(value: object) -> None:
    for parse in (parse_size, parse_share):
        with pytest.raises(UsageError):
            parse(value)


@pytest.mark.parametrize("text", ["64K", "64KB", "64 kB", "64 KiB", "1.5M", "2 MB"])
def test_the_command_line_and_the_configuration_mean_the_same(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tflite-sparse.toml"
    path.write_text(f'[budgets]\nmax-size = "{text}"\n')
    size = values.parse_size(text)
    assert read_config(path).settings("m.tflite").budgets["max-size"] == size
    done = call("lint", MODEL, "--isolated", "--budget", f"max-size={text}", "--show-config")
    (settings,) = json.loads(done.out)["files"].values()
    assert settings["budgets"]["max-size"] == size
