"""`--values` of sparsify, optimize and densify, and what diff says of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"


def words(text: str) -> str:
    return " ".join(text.split())


def test_sparsify_stores_int8_values_and_says_what_was_lost(tmp_path: Path) -> None:
    out = tmp_path / "small.tflite"
    done = call("sparsify", MODEL, "--values", "int8", "-o", out, "--verify")
    assert done.code == 0, done.err
    text = words(done.out)
    assert "stored anew, as int8" in text or "of them as int8" in text
    assert "int8, which loses information · SNR of weights" in text
    assert "LiteRT computes what the rounded weights do, with XNNPACK and without" in text
    assert "on random inputs, 8 sets, allowed 25 %" in text
    plain = tmp_path / "plain.tflite"
    assert call("sparsify", MODEL, "-o", plain).code == 0
    assert out.stat().st_size < 0.7 * plain.stat().st_size
    again = call("sparsify", out, "--values", "int8", "--check")
    assert again.code == 0, again.out


def test_the_document_has_the_rounding_of_each_weight(tmp_path: Path) -> None:
    out = tmp_path / "small.tflite"
    document = call("sparsify", MODEL, "--values", "int8", "-o", out, "--json").document("rewrite")
    rounded = [weight["rounding"] for weight in document["weights"] if weight["rounding"]]
    assert rounded
    assert {rounding["values"] for rounding in rounded} == {"int8"}
    assert all(rounding["snr"] > 30 for rounding in rounded)


def test_optimize_adapts_first_and_proves(tmp_path: Path) -> None:
    out = tmp_path / "small.tflite"
    done = call("optimize", MODEL, "--values", "fp16", "-o", out)
    assert done.code == 0, done.err
    assert "allowed 2 %" in words(done.out)
    assert "FLOAT16" in {weight.tensor.type for weight in find_weights(Model.read(out))}


def test_densify_gives_back_fp32_that_means_the_same(tmp_path: Path) -> None:
    small, wide = tmp_path / "small.tflite", tmp_path / "wide.tflite"
    assert call("sparsify", MODEL, "--values", "int8", "-o", small).code == 0
    done = call("densify", small, "--values", "fp32", "-o", wide, "--verify")
    assert done.code == 0, done.err
    assert "the same numbers, with XNNPACK and without" in words(done.out)
    model = Model.read(wide)
    assert not {"DENSIFY", "DEQUANTIZE"} & {operator.name for operator in model.operators()}
    assert "equal in meaning" in call("diff", small, wide).out
    assert call("diff", MODEL, small).code == 1


def test_compress_loses_nothing_unless_asked_and_proves_itself(tmp_path: Path) -> None:
    sizes = []
    for values in ("fp32", "fp16", "int8"):
        out = tmp_path / f"{values}.tflite"
        done = call("compress", MODEL, "--values", values, "-o", out)
        assert done.code == 0, done.err
        assert "with XNNPACK and without" in words(done.out)
        assert ("loses information" in words(done.out)) is (values != "fp32")
        sizes.append(out.stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert call("diff", MODEL, tmp_path / "fp32.tflite").code == 0


@pytest.mark.parametrize("command", [["sparsify", "--verify"], ["optimize"], ["compress"]], ids=str)
def test_data_come_from_a_folder(tmp_path: Path, command: list[str]) -> None:
    (shape,) = [tensor.shape for tensor in Model.read(MODEL).main.inputs]
    folder = tmp_path / "inputs"
    folder.mkdir()
    images = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    np.save(folder / "a.npy", images[0])
    np.savez(folder / "b.npz", **{Model.read(MODEL).main.inputs[0].name: images})
    options = ["--data", folder, "-o", tmp_path / "o"]
    done = call(*command, MODEL, "--values", "int8", *options)
    assert done.code == 0, done.err
    assert "inputs, 1 set; the weights were fitted to 3 others, allowed 25 %" in words(done.out)
    assert "dB on the data than rounded without" in words(done.out)
    judged = call("sparsify", MODEL, "--values", "fp16", *options, "--verify", "--force")
    assert "inputs, 4 sets, allowed 2 %" in words(judged.out)
    assert "(±49.0 points, 95 % margin); on" in words(judged.out)
    random = call(*command, MODEL, "--values", "int8", "-o", tmp_path / "o", "--force")
    assert "margin" not in random.out


def test_each_weight_of_an_adapted_model_is_told_once(tmp_path: Path) -> None:
    model = FOLDER / "mobilenet_tiny_80_same.tflite"
    (shape,) = [tensor.shape for tensor in Model.read(model).main.inputs]
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32))
    # The graph is written for LiteRT between its steps, to see what its filters read.
    arguments = ["--values", "int8", "--data", tmp_path / "a.npy", "-o", tmp_path / "o", "--json"]
    weights = call("optimize", model, *arguments).document("rewrite")["weights"]
    assert len({weight["tensor"] for weight in weights}) == len(weights)
    read = [weight["operators"] for weight in weights]
    assert len({operators[0] for operators in read}) == len(read)
    assert all(weight["bytes_before"] == 4 * weight["elements"] for weight in weights)


def test_a_weight_is_fitted_without_being_verified_too(tmp_path: Path) -> None:
    (shape,) = [tensor.shape for tensor in Model.read(MODEL).main.inputs]
    np.save(tmp_path / "a.npy", np.ones(shape, np.float32))
    out = tmp_path / "o.tflite"
    arguments = ["--values", "int8", "--data", tmp_path, "-o", out, "--json"]
    document = call("sparsify", MODEL, *arguments).document("rewrite")
    rounded = [weight["rounding"] for weight in document["weights"] if weight["rounding"]]
    assert all(rounding["output_snr"] >= rounding["nearest_snr"] for rounding in rounded)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep-nonzero"], "--keep-nonzero is for weights that --values stores"),
        (["--min-snr", "40"], "--min-snr is for weights that --values stores"),
        (["--data", "here"], "--data is for weights that --values stores"),
        (["--values", "int8", "--min-agreement", "0.9"], "on inputs of --data"),
        (["--min-agreement", "0.9"], "that --values or --prune changes"),
        (["--values", "int4"], "int4"),
    ],
)
def test_options_that_make_no_sense(options: list[str], said: str) -> None:
    done = call("sparsify", MODEL, "-n", *options)
    assert done.code == 2
    assert said in done.err


def test_a_folder_without_inputs(tmp_path: Path) -> None:
    options = ["--values", "int8", "--verify", "--data", tmp_path]
    done = call("sparsify", MODEL, *options, "-o", tmp_path / "o.tflite")
    assert done.code == 2
    assert "no image and no .npz or .npy file lies in the folder itself" in done.err
    assert not (tmp_path / "o.tflite").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sparsify", "--values", "fp16", "--data", "here"], "--data is for the run that --verify"),
        (
            ["sparsify", "--values", "int8", "--data", "here", "--min-agreement", "1"],
            "--min-agreement is for the run that --verify",
        ),
        (["optimize", "--no-verify", "--rtol", "0.1"], "--rtol is for the run that --verify"),
        (["adapt", "--atol", "0.1"], "--atol is for the run that --verify"),
        (["optimize", "--values", "int8", "--atol", "0.1"], "--values has bounds of its own"),
    ],
)
def test_options_that_nothing_would_heed(tmp_path: Path, arguments: list[str], said: str) -> None:
    out = tmp_path / "out.tflite"
    done = call(*arguments, MODEL, "-o", out)
    assert done.code == 2
    assert said in done.err
    assert not out.exists()


def test_too_few_inputs_of_the_same_class_refuse_rounded_weights(tmp_path: Path) -> None:
    # Beside one large value of each channel the others round to zero, and with them the classes;
    # of the range of the outputs that is little.
    rng = np.random.default_rng(0)
    filters = rng.choice([-0.3, 0.3], (64, 64)).astype(np.float32)
    filters[:, 0] = 127
    bias = np.full(64, 100, np.float32)
    model, out = tmp_path / "model.tflite", tmp_path / "out.tflite"
    model.write_bytes(
        build(lambda g: g.fully_connected(g.input((1, 64)), 64, filters=filters, bias=bias))
    )
    inputs = rng.uniform(-1, 1, (32, 1, 64)).astype(np.float32)
    inputs[..., 0] *= 0.01
    np.save(tmp_path / "data.npy", inputs)
    asked = ["compress", model, "-o", out, "--data", tmp_path / "data.npy"]
    done = call(*asked, "--values", "int8", "--min-agreement", "0.9")
    assert done.code == 2
    assert "do not agree on 90 % of the classes" in words(done.err)
    assert not out.exists()
    assert call(*asked, "--values", "fp16", "--min-agreement", "0.9").code == 0
