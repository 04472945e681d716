"""The functions at the top level: what they take, and what a notebook shows of what they give."""

from __future__ import annotations

import io
import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflite_sparse
from tflite_sparse.errors import (
    FileError,
    ModelError,
    RuntimeUnavailableError,
    UsageError,
)

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "testdata" / "mobilenet_tiny_80.tflite"
SPARSE = ROOT / "testdata" / "mobilenet_tiny_80_sparse.tflite"
POINTWISE = "block4/pointwise/filter"


def test_a_model_is_read_from_wherever_it_is() -> None:
    data = MODEL.read_bytes()
    for source in (MODEL, str(MODEL), data, bytearray(data), io.BytesIO(data), MODEL.open("rb")):
        assert tflite_sparse.inspect(source).size == len(data)
        if hasattr(source, "close"):
            source.close()
    with MODEL.open(encoding="latin-1") as text, pytest.raises(FileError, match="as text"):
        tflite_sparse.read(text)


class _Store:
    """What stands in for fsspec: a store of one file."""

    def open(self, address: str, mode: str) -> Any:
        assert mode == "rb"
        if not address.endswith("/a.tflite"):
            raise FileNotFoundError(2, "no such object", address)
        return MODEL.open("rb")

    def get_fs_token_paths(self, address: str) -> tuple[Any, str, list[str]]:
        assert address.startswith("gs://")
        return self, "", []

    def glob(self, address: str) -> list[str]:
        return ["models/a.tflite"] if "models" in address else []

    def unstrip_protocol(self, name: str) -> str:
        return f"gs://{name}"


def test_an_address_is_read_by_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    from tflite_sparse.cli.paths import find_models

    with pytest.raises(RuntimeUnavailableError, match="remote"):
        tflite_sparse.read("gs://models/a.tflite")
    store, module = _Store(), types.ModuleType("fsspec")
    module.open, module.get_fs_token_paths = store.open, store.get_fs_token_paths  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fsspec", module)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert tflite_sparse.inspect("gs://models/a.tflite").path == "gs://models/a.tflite"
    assert find_models(["gs://models/*.tflite"]) == ["gs://models/a.tflite"]
    with pytest.raises(FileError, match="no such object"):
        tflite_sparse.read("gs://models/b.tflite")
    (nothing,) = find_models(["gs://other/*.tflite"])
    assert isinstance(nothing, FileError)


def test_options_are_given_by_name() -> None:
    assert not tflite_sparse.sparsify(MODEL, min_sparsity=0.99).weights
    assert len(tflite_sparse.sparsify(MODEL, min_sparsity=0.5).weights) == 5
    result = tflite_sparse.optimize(MODEL, targets=("arm64",), min_sparsity=0.99)
    assert not result.weights
    assert tflite_sparse.densify(SPARSE).weights
    with pytest.raises(UsageError, match=r"no field 'min_sparcity'.*min_sparsity"):
        tflite_sparse.sparsify(MODEL, min_sparcity=0.5)


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "out.tflite"
    result = tflite_sparse.sparsify(MODEL)
    size = tflite_sparse.write(result, target)
    with pytest.raises(FileError, match="overwrite=True"):
        tflite_sparse.write(result, target)
    assert tflite_sparse.write(tflite_sparse.read(MODEL), target, overwrite=True) != size


def test_a_value_is_taken_out_and_put_back(tmp_path: Path) -> None:
    model = tflite_sparse.read(MODEL)
    tensor = model.main.tensor(POINTWISE)
    values = tensor.numpy()
    values[3] = 0
    tensor.set(values)
    tflite_sparse.write(model, tmp_path / "out.tflite")
    again = tflite_sparse.read(tmp_path / "out.tflite").main.tensor(POINTWISE).numpy()
    assert np.array_equal(again, values)
    for wrong in (values[1:], values.astype(np.float64)):
        with pytest.raises(ModelError, match="the value is"):
            tensor.set(wrong)
    with pytest.raises(ModelError, match="no tensor is called"):
        model.main.tensor("nothing")


def test_a_sparse_value_is_decoded_and_not_set() -> None:
    tensor = tflite_sparse.read(SPARSE).main.tensor(POINTWISE)
    dense = tflite_sparse.read(MODEL).main.tensor(POINTWISE).numpy()
    assert np.array_equal(tensor.numpy(), dense)
    with pytest.raises(ModelError, match="densify"):
        tensor.set(dense)


def test_results_are_shown_in_few_lines() -> None:
    shown = {
        "Rewrite by sparsify": tflite_sparse.sparsify(MODEL),
        "ModelDiff of": tflite_sparse.diff(MODEL, SPARSE),
        "LintRun: ": tflite_sparse.lint_models(str(MODEL)),
        "Verification of": tflite_sparse.verify(MODEL, SPARSE, backends=()),
    }
    for words, result in shown.items():
        text = repr(result)
        assert text.startswith(f"<{words}")
        assert text.endswith(">")
        assert len(text.splitlines()) <= 10
        assert len(text) < 1500
    assert "TFS401" in repr(shown["LintRun: "])


def test_an_inspection_is_shown_in_few_lines_and_in_a_notebook() -> None:
    inspection = tflite_sparse.inspect(MODEL)
    text = repr(inspection)
    assert len(text.splitlines()) <= 10
    assert "dense on arm64" in text
    page = inspection._repr_html_()
    assert page is not None
    for part in ("Runs dense", "Next: <b>", "<svg", POINTWISE, "80.0 %", "sparsify"):
        assert part in page
    assert tflite_sparse.diff(MODEL, MODEL)._repr_html_() is None


def test_what_a_model_says_stays_text_in_a_notebook() -> None:
    inspection = tflite_sparse.inspect(MODEL.read_bytes())
    named = tflite_sparse.Model.read(MODEL.read_bytes(), "<script>alert(1)</script>")
    page = tflite_sparse.inspect(named)._repr_html_()
    assert page is not None
    assert "<script>" not in page
    assert "in memory" in (inspection._repr_html_() or "")


def test_weights_become_a_table_of_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    inspection = tflite_sparse.inspect(MODEL)
    with pytest.raises(RuntimeUnavailableError, match="pandas"):
        inspection.to_dataframe()
    pandas = types.ModuleType("pandas")
    pandas.DataFrame = list  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    rows = inspection.to_dataframe()
    assert len(rows) == len(inspection.weights)
    assert {row["name"]: row["zeros"] for row in rows}[POINTWISE] == pytest.approx(0.8, abs=0.01)


def test_lint_takes_the_keys_of_its_configuration() -> None:
    run = tflite_sparse.lint_models(MODEL, SPARSE, select=["TFS4"])
    assert {finding.code[:4] for finding in run.findings} == {"TFS4"}
    with pytest.raises(UsageError, match="the arguments"):
        tflite_sparse.lint_models(MODEL, selekt=["TFS4"])


def test_a_page_about_models_is_written(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    assert tflite_sparse.write_report(target, MODEL, SPARSE) == target.stat().st_size
    with pytest.raises(FileError, match="overwrite=True"):
        tflite_sparse.write_report(target, MODEL)


def test_the_notebook_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(MODEL, tmp_path / "model.tflite")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs" / "notebook.ipynb").read_text("utf-8"))
    names: dict[str, Any] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 3
    for cell in cells:
        exec("".join(cell["source"]), names)  # noqa: S102 - the point of it
    assert names["after"].totals.zeros > names["inspection"].totals.zeros
    assert (tmp_path / "pruned.tflite").stat().st_size < MODEL.stat().st_size


@pytest.mark.parametrize("nothing", [None, 5, ["model.tflite"]])
def test_what_no_model_is_read_from_is_named(nothing: Any) -> None:
    with pytest.raises(UsageError, match=f"not from a {type(nothing).__name__}"):
        tflite_sparse.inspect(nothing)
    with pytest.raises(UsageError, match="not from a Model"):
        tflite_sparse.read(tflite_sparse.read(MODEL))  # type: ignore[arg-type]
