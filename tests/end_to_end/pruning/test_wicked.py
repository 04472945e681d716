"""What `prune` says of input that nobody should give, and how early."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.small_nets import build
from tflite_sparse.errors import FileError
from tflite_sparse.model import Model
from tflite_sparse.runtime.activations.stream import Stored, run_stream
from tflite_sparse.runtime.litert.process import Worker

MODEL = FOLDER / "mobilenet_tiny_80.tflite"
SHAPE = Model.read(MODEL).main.inputs[0].shape
FUNCTIONS = """
import sys
import numpy as np

def exits(*given):
    sys.exit(3)

def none():
    return None

def yields_and_exits():
    yield np.zeros((1, 64, 64, 3), np.float32)
    sys.exit(3)

def nan(outputs, inputs):
    return float("nan")

def fails(outputs, inputs):
    raise ValueError("no labels")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with functions of a user and some inputs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"wicked_{tmp_path.name}.py").write_text(FUNCTIONS)
    inputs = np.random.default_rng(0).normal(size=(8, *SHAPE)).astype(np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    return tmp_path


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*args: object, **more: object) -> None:
        raise AssertionError("pruned before all was known to be right")

    monkeypatch.setattr("tflite_sparse.pruning.prune.prune", work)


def refusal(*words: object) -> str:
    done = call("prune", MODEL, "--zeros", "90%", *words)
    assert done.code == 2, done.out
    assert done.err.startswith("tflite-sparse: error: ")
    assert len(done.err.splitlines()) == 1
    return done.err


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("fails", "the metric fails: ValueError: no labels"),
        ("exits", "the metric fails: it ends the program, with the code 3"),
        ("missing", "has no function 'missing'"),
        ("", "names no function; write module:function"),
    ],
)
@pytest.mark.usefixtures("no_work")
def test_a_metric_that_cannot_measure_is_found_before_the_work(folder, metric, why):
    source = f"wicked_{folder.name}:{metric}"
    assert why in refusal("-o", "out.tflite", "--data", "inputs.npy", "--metric", source)


@pytest.mark.usefixtures("no_work")
def test_an_agreement_that_nothing_measures_is_refused_before_the_work(folder):
    net = build(lambda g: g.conv2d(g.input(SHAPE), 8))
    (folder / "map.tflite").write_bytes(net)
    words = ("--zeros", "90%", "-o", "out.tflite", "--min-agreement", "0.5")
    done = call("prune", "map.tflite", *words, "--data", "inputs.npy")
    assert (done.code, "no output has classes" in done.err) == (2, True)
    assert "--data FOLDER gives inputs" in refusal("-o", "out.tflite", "--min-agreement", "0.5")


def test_a_metric_that_is_no_number_is_null_in_json(folder):
    source = f"wicked_{folder.name}:nan"
    data = ("--data", "inputs.npy", "--metric", source)
    done = call("prune", MODEL, "--zeros", "90%", "-o", "out.tflite", *data, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["quality"]["after"] == {"nan": None}


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("exits", "the function fails: it ends the program, with the code 3"),
        ("yields_and_exits", "the function fails: it ends the program, with the code 3"),
        ("none", "the function gives NoneType, and not inputs one after the other"),
    ],
)
def test_a_function_that_gives_no_inputs_is_told_so(folder, function, why):
    assert why in refusal("-o", "out.tflite", "--data", f"wicked_{folder.name}:{function}")


@pytest.mark.usefixtures("no_work")
def test_where_nothing_can_be_written_is_found_before_the_work(folder):
    data = ("--data", "inputs.npy")
    assert "the folder does not exist" in refusal("-o", "none/out.tflite", *data)
    assert "part of the path is not a folder" in refusal("-o", "inputs.npy/out.tflite", *data)
    assert "is a directory" in refusal("-o", folder, "--force", *data)
    assert {path.suffix for path in folder.iterdir()} <= {".npy", ".py", ""}


def test_arrays_of_another_type_are_told_how_to_become_right(folder):
    np.save("double.npy", np.zeros((8, *SHAPE)))
    assert "array.astype('float32')" in refusal("-o", "out.tflite", "--data", "double.npy")


def test_no_arrays_are_told_so_without_advice_to_load_code(folder):
    (folder / "text.npz").write_bytes(b"no arrays")
    told = refusal("-o", "out.tflite", "--data", "text.npz")
    assert "it holds none of numpy's arrays" in told
    assert "pickle" not in told


def test_a_single_input_is_one_input(folder):
    np.save("one.npy", np.zeros((1, *SHAPE), np.float32))
    assert "one.npy has 1 input, and" in refusal("-o", "out.tflite", "--data", "one.npy")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("numbers", ["nan", "1,inf", ""])
def test_a_mean_is_made_of_numbers(numbers):
    told = refusal("-o", "out.tflite", "--data", ".", "--mean", numbers)
    assert "no numbers; write 127.5" in told


@pytest.mark.usefixtures("folder")
def test_optimize_asks_for_more_zeros_by_its_own_option():
    done = call("optimize", MODEL, "-o", "out.tflite", "--prune", "20%")
    assert done.code == 2
    assert "--prune 0.67" in done.err


def test_a_disk_that_is_full_of_activations_is_told_with_the_way_out(tmp_path):
    full = Path("/dev/full")
    values = np.zeros(SHAPE, np.float32)
    with pytest.raises(FileError, match="no space left on the device; TMPDIR"):
        Stored.write(full, [values] * 8)
    stored = Stored.write(tmp_path / "inputs", [values])
    with Worker() as worker, pytest.raises(FileError, match=r"no space left .*; TMPDIR"):
        run_stream(worker, MODEL.read_bytes(), [stored], [full])
