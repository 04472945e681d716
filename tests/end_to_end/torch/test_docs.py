"""The examples of docs/train.md run as they stand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import tflite_sparse

ROOT = Path(__file__).parents[3]


def test_the_examples_run(tmp_path, monkeypatch):
    shutil.copy(ROOT / "testdata" / "mobilenet_tiny_80.tflite", tmp_path / "model.tflite")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "train.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 3
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "docs/train.md", "exec"), names)  # noqa: S102 - the point of it
    assert names["changed"] > 10
    assert names["outputs"].shape == (4, 10)
    assert min(names["result"].zeros.values()) >= 0.79
    assert len(names["result"].evaluations) == 3
    assert tflite_sparse.read("pruned.tflite").size == tflite_sparse.read("model.tflite").size
