"""`tflite-sparse overlay` end to end: data sets for Model Explorer, all files or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import call
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.overlay import overlays

TESTDATA = Path(__file__).parents[3] / "testdata"
SAME = TESTDATA / "mobilenet_tiny_80_same.tflite"
SPARSE = TESTDATA / "mobilenet_tiny_80_sparse.tflite"


def _results(text: str, graph: str = "main") -> dict[str, object]:
    results = json.loads(text)[graph]["results"]
    return {key: value["value"] for key, value in results.items()}


def _data(quantity: str, model: Path, *options: str) -> dict[str, object]:
    done = call("overlay", model, "-o", "-", "--data", quantity, *options)
    assert (done.code, done.err) == (0, "")
    return _results(done.out)


def test_fates_are_those_of_the_plan() -> None:
    fates = _data("fate", SPARSE)
    # pad, stem, depthwise, densify, pointwise; mean, fully connected, softmax.
    assert [fates[str(i)] for i in range(5)] == [
        "vanishes",
        "layout",
        "layout",
        "vanishes",
        "sparse",
    ]
    assert [fates[str(i)] for i in (19, 20, 21)] == ["layout", "dense", "dense"]


def test_the_target_decides() -> None:
    assert "sparse" not in _data("fate", SPARSE, "--target", "x86-avx").values()
    assert list(_data("fate", SAME).values()).count("blocked") == 9


def test_zeros_are_percent_of_what_an_operator_reads() -> None:
    zeros = _data("zeros", SPARSE)
    assert zeros["1"] == 0
    assert zeros["4"] == 80.1
    assert "0" not in zeros


def test_a_share_that_is_nearly_whole_does_not_show_as_whole() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 64)), 64, zeros=1 - 1 / 4096))
    found = inspect(Model.read(builder.build()))
    (zeros,) = [o for o in overlays(found, "arm64") if o.quantity == "zeros"]
    assert zeros.graphs["main"].results["0"].value == 99.9


def test_savings_are_the_same_before_and_after_sparsify() -> None:
    dense = _data("saving", TESTDATA / "mobilenet_tiny_80.tflite")
    sparse = _data("saving", SPARSE)
    saved = [value for value in dense.values() if value]
    assert len(saved) == 5
    # Of what is stored sparse already, the tables that describe it are not counted.
    done = [value for value in sparse.values() if value]
    assert done == pytest.approx([value + 379 for value in saved], abs=32)


def test_there_is_a_file_for_each_data_set_and_the_command_that_shows_them(tmp_path: Path) -> None:
    done = call("overlay", SPARSE, "-o", tmp_path / "o.json")
    files = [tmp_path / f"o.{name}.json" for name in ("fate", "zeros", "saving")]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert f"--node_data_paths={','.join(map(str, files))}" in done.out
    assert _results(files[1].read_text("utf-8")) == _data("zeros", SPARSE)


def test_with_one_data_set_the_file_is_that_of_the_option(tmp_path: Path) -> None:
    call("overlay", SPARSE, "-o", tmp_path / "o.json", "--data", "fate")
    assert [path.name for path in tmp_path.iterdir()] == ["o.json"]


def test_a_file_that_is_there_keeps_all_from_being_written(tmp_path: Path) -> None:
    last = tmp_path / "o.saving.json"
    last.write_text("mine")
    done = call("overlay", SPARSE, "-o", tmp_path / "o.json")
    assert done.code == 2
    assert "o.saving.json: the file exists already; --force overwrites it" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["o.saving.json"]
    assert call("overlay", SPARSE, "-o", tmp_path / "o.json", "--force").code == 0
    assert _results(last.read_text("utf-8")) == _data("saving", SPARSE)


def test_a_file_that_cannot_be_written_keeps_all_from_being_written(tmp_path: Path) -> None:
    (tmp_path / "o.zeros.json").mkdir()
    done = call("overlay", SPARSE, "-o", tmp_path / "o.json", "--force")
    assert done.code == 2
    assert "is a directory" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["o.zeros.json"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-o", "-"], "-o - takes one data set"),
        (["-o", "no/such/o.json"], "cannot write the file: the folder does not exist"),
        (["-o", "-", "--data", "fate", "--target", "vax"], "there is no target 'vax'"),
        ([], "Missing option '--output'"),
    ],
)
def test_wrong_usage_is_one_line(options: list[str], words: str) -> None:
    done = call("overlay", SPARSE, *options)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1


def test_subgraphs_of_one_name_have_the_data_of_the_first() -> None:
    builder = ModelBuilder()
    for zeros in (0.0, 0.75, 0.25):
        graph = builder.graph()
        graph.table.name = "body"
        graph.output(graph.conv2d(graph.input((1, 4, 4, 16)), 16, zeros=zeros))
    found = inspect(Model.read(builder.build()))
    for made in overlays(found, "arm64"):
        assert list(made.graphs) == ["main", "body"]
    (zeros,) = (made for made in overlays(found, "arm64") if made.quantity == "zeros")
    assert zeros.graphs["body"].to_dict()["results"] == {"0": {"value": 75.0}}
