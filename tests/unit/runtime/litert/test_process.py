"""The worker's other end: files for models that are bytes."""

from __future__ import annotations

from pathlib import Path

from tflite_sparse.runtime.litert.process import model_file


def test_bytes_are_a_file_for_as_long_as_the_block_lasts():
    with model_file(b"TFL3") as path:
        assert Path(path).read_bytes() == b"TFL3"
    assert not Path(path).exists()


def test_a_path_is_made_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with model_file("model.tflite") as path:
        assert path == str(tmp_path.resolve() / "model.tflite")


def test_a_name_that_litert_cannot_take_is_another_for_as_long_as_the_block_lasts(tmp_path):
    odd = tmp_path / "bad\udcff.tflite"
    odd.write_bytes(b"TFL3")
    with model_file(odd) as path:
        assert path.encode("utf-8")
        assert Path(path).read_bytes() == b"TFL3"
    assert not Path(path).exists()
    assert odd.exists()
