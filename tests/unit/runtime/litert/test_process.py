"""The worker's other end: where it cannot start, and files for models that are bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.litert.process import Worker, model_file


def test_a_system_without_fork_is_told_so(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(RuntimeUnavailableError, match="fork") as caught:
        Worker()
    assert "Linux" in str(caught.value.hint)


def test_bytes_are_a_file_for_as_long_as_the_block_lasts():
    with model_file(b"TFL3") as path:
        assert Path(path).read_bytes() == b"TFL3"
    assert not Path(path).exists()


def test_a_path_is_made_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with model_file("model.tflite") as path:
        assert path == str(tmp_path.resolve() / "model.tflite")
