"""What becomes of an exception."""

from __future__ import annotations

import errno
from typing import NoReturn

import pytest
import typer

from tflite_sparse.cli.errors import DEBUG, as_project_error, guard, one_line
from tflite_sparse.errors import FormatError, Place


def _raise(error: BaseException) -> NoReturn:
    raise error


@pytest.fixture(autouse=True)
def _no_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEBUG, raising=False)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FormatError("too deep", place=Place(file="m", offset=4)), "m: offset 4: too deep"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), "out: No space left on device"),
        (OSError("strange"), "strange"),
        (MemoryError(), "not enough memory"),
        (RecursionError(), "the model is nested too deeply"),
    ],
)
def test_an_error_becomes_one_line_and_code_2(
    error: BaseException, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(lambda: _raise(error)) == 2
    assert capsys.readouterr().err == f"tflite-sparse: error: {line}\n"


def test_a_bug_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(lambda: _raise(KeyError("x"))) == 2
    err = capsys.readouterr().err
    assert err.startswith("tflite-sparse: error: internal error, KeyError: 'x'")
    assert err.count("\n") == 1


def test_the_debug_variable_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEBUG, "1")
    assert guard(lambda: _raise(KeyError("x"))) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(lambda: _raise(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "tflite-sparse: interrupted\n"


def test_exit_codes_come_through() -> None:
    assert guard(lambda: _raise(typer.Exit(3))) == 3
    assert guard(lambda: 1) == 1
    assert guard(lambda: None) == 0


def test_a_message_of_several_lines_becomes_one_that_commands_no_terminal() -> None:
    assert one_line(FormatError("a\nb\t\x1b[31mc")) == "a b \\x1b[31mc"


def test_any_error_is_told_with_its_file() -> None:
    assert str(as_project_error(PermissionError(13, "Permission denied"), "m")) == (
        "m: Permission denied"
    )
    assert str(as_project_error(MemoryError(), "m")) == "m: not enough memory"
    assert str(as_project_error(FormatError("bad"), "m")) == "m: bad"
