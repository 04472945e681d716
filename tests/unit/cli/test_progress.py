"""The progress bar."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING

from tflite_sparse.cli import progress as _progress
from tflite_sparse.cli.progress import progress_bar

if TYPE_CHECKING:
    import pytest


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, patience: float) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "_PATIENCE", patience)
    with progress_bar("model.tflite") as progress:
        progress(1, 4)
        progress(4, 4)
    return stream.getvalue()


def test_long_work_shows_how_far_it_is_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(monkeypatch, _Terminal(), 0.0)
    assert " 25 % model.tflite" in shown
    assert "100 % model.tflite" in shown
    assert shown.endswith("\r\x1b[K")


def test_work_that_says_nothing_shows_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(_progress, "_TICK", 0.01)
    with progress_bar("outside"), progress_bar("sparsify model.tflite"):
        while " s sparsify model.tflite" not in stream.getvalue():
            time.sleep(0.01)
    assert "outside" not in stream.getvalue().split("sparsify")[-1]
    assert stream.getvalue().endswith("\r\x1b[K")


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _shown(monkeypatch, _Terminal(), 60.0) == ""


def test_a_pipe_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _shown(monkeypatch, io.StringIO(), 0.0) == ""


def test_a_log_gets_a_line_now_and_then_where_each_step_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_progress, "is_verbose", lambda: True)
    for pause, lines in ((0.0, 3), (60.0, 1)):
        monkeypatch.setattr(_progress, "_PAUSE", pause)
        shown = _shown(monkeypatch, io.StringIO(), 0.0)
        assert len(shown.splitlines()) == lines
        assert (" 25 % model.tflite\n" in shown) == (lines > 1)
        assert "\r" not in shown


def test_work_of_no_size_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "_PATIENCE", 0.0)
    with progress_bar("model.tflite") as progress:
        progress(0, 0)
    assert stream.getvalue() == ""
