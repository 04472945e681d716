"""Data of users that fail are told as theirs, not as a bug of the program."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tflite_sparse.errors import FileError, UsageError
from tflite_sparse.model import Model
from tflite_sparse.runtime.data.given import given_inputs

MODEL = Path("testdata/mobilenet_tiny_80.tflite")

MODULE = """
def nothing():
    pass

def fails():
    yield from ()
    raise ValueError("no such split")
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    model = Model.read(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return model


def test_a_function_that_fails_is_named_with_its_error(model, tmp_path):
    (tmp_path / "failing_data.py").write_text(MODULE)
    with pytest.raises(FileError, match="the function fails: ValueError: no such split"):
        given_inputs("failing_data:fails", model)
    with pytest.raises(FileError, match="the function fails: TypeError"):
        given_inputs("failing_data:nothing", model)


def test_a_module_that_cannot_be_imported_is_named_with_its_error(model, tmp_path):
    (tmp_path / "broken_data.py").write_text("x = = 1")
    with pytest.raises(UsageError, match="cannot be imported: SyntaxError"):
        given_inputs("broken_data:inputs", model)
    with pytest.raises(UsageError, match="cannot be imported: ValueError: Empty module name"):
        given_inputs(":inputs", model)


def test_an_image_that_claims_to_be_huge_is_refused_by_name(model, tmp_path):
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    (tmp_path / "huge.png").write_bytes(png)
    with pytest.raises(FileError, match="no readable image") as caught:
        given_inputs(".", model)[0]
    assert caught.value.place.file.endswith("huge.png")
