"""The examples of docs/library.md run as they stand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import tflite_sparse

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "library.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "testdata" / "mobilenet_tiny_80.tflite", tmp_path / "model.tflite")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) > 5
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "docs/library.md", "exec"), names)  # noqa: S102 - the point of it
    assert "left:" in capsys.readouterr().out
    assert (tmp_path / "dense.tflite").stat().st_size > (tmp_path / "sparse.tflite").stat().st_size


def test_the_example_of_the_readme_prunes_a_filter_and_saves_the_model(tmp_path, monkeypatch):
    shutil.copy(ROOT / "testdata" / "mobilenet_tiny_80.tflite", tmp_path / "model.tflite")
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## From Python\n")[2].partition("\n## ")[0]
    example = "\n".join(re.findall(r"^ {4}(.*)$", section, re.MULTILINE))
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - the point of it
    before, after = (tflite_sparse.inspect(tmp_path / f"{n}.tflite") for n in ("model", "pruned"))
    assert after.totals.sparse_tensors > before.totals.sparse_tensors == 0


def test_every_public_name_can_be_had_and_the_functions_are_documented() -> None:
    for name in tflite_sparse.__all__:
        assert getattr(tflite_sparse, name) is not None
        assert name in dir(tflite_sparse)
    names = "read write inspect optimize prune judge adapt sparsify compress densify diff plan"
    for name in names.split():
        assert f"`{name}(" in TEXT
    with pytest.raises(AttributeError, match="no attribute 'shrink'"):
        _ = tflite_sparse.shrink
