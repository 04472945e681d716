"""Small nets as the real converters for PyTorch, ONNX and TensorFlow write them; see testdata."""

from __future__ import annotations

import gzip
from pathlib import Path

__all__ = ["EXPORTS", "export"]

_FOLDER = Path(__file__).parents[3] / "testdata" / "exports"
EXPORTS = tuple(sorted(path.name.removesuffix(".tflite.gz") for path in _FOLDER.glob("*.gz")))
"""The names of the nets."""


def export(name: str) -> bytes:
    """The bytes of a model."""
    return gzip.decompress((_FOLDER / f"{name}.tflite.gz").read_bytes())
