"""Finding the models that a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.cli.paths import find_models
from tflite_sparse.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _touch(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return str(path)


def test_a_directory_gives_all_models_below_it_in_order(tmp_path: Path) -> None:
    b = _touch(tmp_path / "b.tflite")
    a = _touch(tmp_path / "deep" / "er" / "a.tflite")
    _touch(tmp_path / "notes.txt")
    assert find_models([str(tmp_path)]) == [b, a]


def test_a_directory_without_models_is_an_error(tmp_path: Path) -> None:
    (error,) = find_models([str(tmp_path)])
    assert isinstance(error, FileError)
    assert str(error) == f"{tmp_path}: no .tflite files in this directory"


def test_a_pattern_is_expanded_in_order(tmp_path: Path) -> None:
    names = [_touch(tmp_path / name) for name in ("1.bin", "2.bin")]
    assert find_models([str(tmp_path / "*.bin")]) == names


def test_a_pattern_reaches_into_directories(tmp_path: Path) -> None:
    name = _touch(tmp_path / "x" / "y" / "m.tflite")
    assert find_models([str(tmp_path / "**" / "*.tflite")]) == [name]


def test_a_pattern_without_a_match_is_an_error(tmp_path: Path) -> None:
    (error,) = find_models([str(tmp_path / "*.tflite")])
    assert isinstance(error, FileError)
    assert "no file matches this pattern" in str(error)


def test_a_file_whose_name_looks_like_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    name = _touch(tmp_path / "m[1].tflite")
    assert find_models([name]) == [name]


def test_each_file_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = _touch(tmp_path / "m.tflite")
    monkeypatch.chdir(tmp_path)
    assert find_models([name, str(tmp_path), name]) == [name]


def test_a_missing_file_is_left_to_the_reader() -> None:
    assert find_models(["no/such/file"]) == ["no/such/file"]
