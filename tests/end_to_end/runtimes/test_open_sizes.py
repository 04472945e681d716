"""Models that leave sizes open, on the command line: planned, proved and fixed at real sizes."""

from __future__ import annotations

import html

import pytest

from tests.support.command import call
from tests.support.nets.builder import ModelBuilder
from tests.support.open_sizes import opened
from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.model import Model
from tflite_sparse.runtime import bench as bench_module
from tflite_sparse.runtime.web import chromium

SAID = "at 1x65x65x3, as the file leaves height and width open"


def excited() -> bytes:
    """Squeeze-and-excite that ends in a map: stored sparse, it is right at 1x1 pixel alone."""
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3), name="image")), 16, 3, 2, "VALID")
    x = g.conv2d(g.conv2d(x, 64, zeros=0.85), 64, zeros=0.85)
    gate = g.conv2d(g.mean(x, keep_dims=True), 16, activation="RELU", zeros=0.85)
    gate = g.unary("LOGISTIC", g.conv2d(gate, 64, zeros=0.85))
    g.output(g.conv2d(g.mul(x, gate), 8, zeros=0.85))
    return builder.build()


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "open.tflite"
    path.write_bytes(opened(excited()))
    return path


def test_inspect_says_for_which_size_it_speaks(model):
    assert f"Planned {SAID}." in call("inspect", model).out
    assert (
        "Planned at 1x16x24x3, as asked for."
        in call("inspect", model, "--input-shape", "1,16,24,3").out
    )
    document = call("inspect", model, "--input-shape", "image=1x16x24x3", "--json").document(
        "inspect"
    )
    assert document["models"][0]["input_shapes"]["inputs"] == [
        {
            "subgraph": 0,
            "name": "image",
            "open": [1, -1, -1, 3],
            "shape": [1, 16, 24, 3],
            "source": "given",
        }
    ]


def test_inspect_says_where_a_batch_is_open_that_no_page_takes_and_fixes_it(tmp_path):
    model, fixed = tmp_path / "keras.tflite", tmp_path / "fixed.tflite"
    model.write_bytes(opened(excited(), (0,)))
    fixed.write_bytes(excited())
    said = "leaves its batch open (?x32x32x3), which LiteRT.js takes in no page; --batch 1 fixes it"

    def told(path, *options: object) -> str:
        return " ".join(call("inspect", path, *options).out.split())

    for options in ((), ("--target", "wasm"), ("--explain",)):
        assert said in told(model, *options)
        assert f"$ tflite-sparse optimize {model} --batch 1 " in told(model, *options)
    assert "--batch 4 fixes it" in told(model, "--batch", 4)
    assert "batch" not in told(model, "--target", "arm64")
    assert "batch" not in told(fixed)
    out = tmp_path / "page.html"
    assert call("report", model, "-o", out).code == 0
    page = html.unescape(out.read_text("utf-8"))
    assert said in page
    assert "optimize keras.tflite --batch 1 " in page


def test_optimize_for_browsers_says_that_an_open_size_runs_in_none(model, tmp_path):
    keras = tmp_path / "keras.tflite"
    keras.write_bytes(opened(excited(), (0,)))
    said = "LiteRT.js takes no open sizes, so that it runs in no page"

    def notes(path, *options: object) -> str:
        done = call("optimize", path, "--dry-run", "--json", *options)
        return "; ".join(done.document("rewrite")["notes"])

    assert f"its input is ?x32x32x3, and {said}: --batch 1 fixes" in notes(
        keras, "--target", "wasm"
    )
    assert said in notes(model, "--target", "wasm")
    assert "--input-shape 1,65,65,3 fixes" in notes(model, "--target", "wasm")
    # They are among the usual targets.
    assert said in notes(keras)
    assert said in notes(keras, "--target", "wasm", "--target", "arm64")
    assert said not in notes(keras, "--target", "arm64")
    assert said not in notes(keras, "--target", "wasm", "--batch", 1)


def test_nothing_is_stored_sparse_that_is_right_at_placeholders_only(model, tmp_path):
    for command in ("sparsify", "optimize"):
        done = call(command, model, "-o", tmp_path / f"{command}.tflite")
        assert done.code == 0
        assert f"planned {SAID}" in " ".join(done.out.split())
        assert "the runtime would compute wrong numbers" in " ".join(done.out.split())
        assert (tmp_path / f"{command}.tflite").read_bytes() == model.read_bytes()
    assert "makes a model of that size" in " ".join(call("adapt", model, "-n").out.split())


def test_a_model_of_a_size_that_was_asked_for_is_adapted_and_proved_there(model, tmp_path):
    out = tmp_path / "fixed.tflite"
    done = call("optimize", model, "--input-shape", "1,32,32,3", "--min-gain", "0", "-o", out)
    assert done.code == 0
    assert "fixed at 1x32x32x3, as asked for" in done.out
    assert "the same numbers" in done.out
    assert "at 1x32x32x3" in done.out[done.out.index("Verified") :]
    made = Model.read(out).main
    assert made.inputs[0].shape == (1, 32, 32, 3)
    assert all(tensor.shape_signature is None for tensor in made.tensors)
    # The original runs at that size too.
    assert call("verify", model, out, "--outputs-only", "--input-shape", "1,32,32,3").code == 0


def test_verify_says_at_which_size_it_ran(model):
    done = call("verify", model, model)
    assert done.code == 0
    assert f"run {SAID}" in " ".join(done.out.split())
    document = call("verify", model, model, "--input-shape", "1,9,9,3", "--json").document("verify")
    assert document["verification"]["input_shapes"]["inputs"][0]["shape"] == [1, 9, 9, 3]


def test_a_model_of_open_size_is_held_against_one_of_fixed_size_at_that_size(model, tmp_path):
    fixed = tmp_path / "fixed.tflite"
    fixed.write_bytes(excited())
    done = call("verify", model, fixed, "--outputs-only")
    assert done.code == 0
    assert "run at 1x32x32x3, the size of the other model" in " ".join(done.out.split())
    times = call("bench", model, fixed, "--runs", 1).out
    assert "run at 1x32x32x3, the size of the other model" in " ".join(times.split())
    assert "same" in times


def test_profile_runs_the_size_that_it_is_given(model):
    done = call("profile", model, "--runs", 1, "--input-shape", "1,20,20,3", "--json")
    assert done.document("profile")["profile"]["input_shapes"]["inputs"][0]["shape"] == [
        1, 20, 20, 3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input-shape", "1,0,8,3"], "is no shape of an input"),
        (["--input-shape", "1,8,8"], "which 1x8x8 does not fit"),
        (["--input-shape", "photo=1,8,8,3"], "there is no input 'photo'"),
        (["--input-shape", "1,8,8,3", "--input-shape", "1,9,9,3"], "has two shapes"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "optimize -n", "adapt -n", "bench"])
def test_a_size_that_cannot_be_is_one_line_and_exit_code_2(model, command, arguments, message):
    name, *more = command.split()
    done = call(name, model, *more, *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1


def test_what_a_measurement_lacks_is_said_before_anything_is_written(model, tmp_path, monkeypatch):
    def missing(named=None):
        raise RuntimeUnavailableError("no Chromium or Chrome was found")

    monkeypatch.setattr(chromium, "find_browser", missing)
    out = tmp_path / "out.tflite"
    done = call("optimize", model, "-o", out, "--bench", "web")
    assert done.code == 2
    assert "no Chromium or Chrome was found" in done.err
    assert not out.exists()
    assert done.out == ""


def test_optimize_fails_where_its_measurement_does(model, tmp_path, monkeypatch):
    measure = bench_module.bench

    def failing(models, **options):
        return measure(models, **{**options, "timeout": 1e-3, "runs": 1})

    monkeypatch.setattr(bench_module, "bench", failing)
    done = call(
        "optimize", model, "-o", tmp_path / "out.tflite", "--no-verify", "--bench", "native"
    )
    assert done.code == 1
    assert "failed" in done.out
