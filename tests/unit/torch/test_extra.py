"""What needs PyTorch says so where it is missing."""

from __future__ import annotations

import sys

import pytest

import tflite_sparse.torch
from tflite_sparse.errors import RuntimeUnavailableError


def test_without_pytorch_one_line_says_how_to_get_it(monkeypatch):
    for name in [*sys.modules]:
        if name.split(".")[0] == "torch" or name.startswith("tflite_sparse.torch."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'tflite-sparse\[train\]'"):
        _ = tflite_sparse.torch.from_tflite


def test_names_that_are_not_there_are_none():
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = tflite_sparse.torch.other
    assert "from_tflite" in dir(tflite_sparse.torch)
