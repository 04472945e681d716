"""`optimize` of a model that has too few zeros, and `prune`, end with the command that goes on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.adapted import stack
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.open_sizes import opened
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"
NEXT = "Next: Prune it"


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "dense.tflite"
    path.write_bytes(stack(zeros=0.0))
    return path


def command_of(text: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith("    $ ")]
    return shlex.split(line.removeprefix("    $ tflite-sparse "))


def test_a_dense_model_is_told_how_to_prune_it_with_the_options_of_the_command(
    dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("optimize", dense, "-o", "out.tflite", "--target", "wasm", "--values", "fp16")
    assert NEXT in done.out
    # A path may be longer than a line.
    assert f"sweep{dense}'tells" in "".join(done.out.split())
    words = command_of(done.out)
    assert words == [
        "optimize", str(dense), "--prune", "0.8", "--data", "FOLDER", "--target", "wasm",
        "--values", "fp16", "-o", "dense_pruned.tflite",
    ]  # fmt: skip
    shape = Model.read(dense).main.inputs[0].shape
    inputs = np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32)
    np.save(tmp_path / "inputs.npy", inputs)
    words[words.index("FOLDER")] = "inputs.npy"
    done = call(*words, "--dry-run")
    assert done.code == 0, done.err
    assert "4 of 4" in done.out
    assert NEXT not in done.out


def test_a_batch_that_no_page_takes_is_fixed_by_that_command(dense: Path) -> None:
    dense.write_bytes(opened(dense.read_bytes(), (0,)))
    assert command_of(call("optimize", dense, "--dry-run").out)[6:8] == ["--batch", "1"]
    words = command_of(call("optimize", dense, "--dry-run", "--target", "arm64").out)
    assert "--batch" not in words
    words = command_of(call("optimize", dense, "--dry-run", "--batch", 1).out)
    assert words.count("--batch") == 1
    out = dense.with_name("pruned.tflite")
    line = ("prune", dense, "-o", out, "-f", "--zeros", "0.9")
    assert command_of(call(*line).out)[2:4] == ["--batch", "1"]
    assert "--batch" not in command_of(call(*line, "--target", "arm64").out)


def test_a_model_with_enough_zeros_is_not_told_to_prune(tmp_path: Path) -> None:
    model = tmp_path / "pruned.tflite"
    model.write_bytes(stack(zeros=0.9))
    assert NEXT not in call("optimize", model, "--dry-run").out


def test_the_command_that_prune_ends_with_makes_the_file_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block, target in ((1, None), (2, "arm64")):
        done = call("prune", MODEL, "-o", "p q.tflite", "-f", "--zeros", "0.9", "--block", block)
        line = shlex.split(done.out.strip().splitlines()[-1])
        assert line[:4] == ["$", "tflite-sparse", "optimize", "p q.tflite"]
        assert ("--target" in line) == (target is not None)
        assert call(*line[2:], "-f").code == 0
        size = (tmp_path / "p q_fast.tflite").stat().st_size
        assert size < 0.6 * (tmp_path / "p q.tflite").stat().st_size
    assert "Next" not in call("prune", MODEL, "--zeros", "0.9", "--dry-run").out
