"""Text is plain in a pipe, coloured where that is asked for, and as wide as it may be."""

from __future__ import annotations

import io

import pytest
from rich.text import Text

from tflite_sparse.report.text.console import Screen

COLOURS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JUPYTER_COLUMNS", "NO_COLOR")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*COLOURS, "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def shown() -> str:
    stream = io.StringIO()
    Screen(stream).show([Text("a [b] :smile: 1", "bold"), "text", Text()])
    return stream.getvalue()


def test_a_pipe_gets_the_text_alone() -> None:
    assert shown() == "a [b] :smile: 1\ntext\n\n"


def test_whoever_asks_gets_colours_and_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert shown() == "\x1b[1ma [b] :smile: 1\x1b[0m\ntext\n\n"


@pytest.mark.parametrize(("columns", "width"), [("100", 100), ("", 80), ("wide", 80), ("0", 80)])
def test_a_pipe_is_as_wide_as_columns_says(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Screen(io.StringIO()).width == width


def test_a_line_wider_than_the_pipe_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = io.StringIO()
    Screen(stream).show(["x" * 40])
    assert stream.getvalue() == "x" * 40 + "\n"


@pytest.mark.parametrize("colour", ["", "1"])
def test_control_characters_of_a_file_name_show_as_escapes(
    colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR" if colour else "NO_COLOR", "1")
    stream = io.StringIO()
    Screen(stream).show([Text("a\x1b[31m\udcff b"), "a\x1b[31m\udcff b"])
    assert stream.getvalue() == "a\\x1b[31m\\xff b\n" * 2
