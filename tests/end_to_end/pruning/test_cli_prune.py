"""`prune` and `optimize --prune`: what they write, what they say, and what they refuse."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support import architectures
from tests.support.adapted import stack
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.measures import margin_of
from tflite_sparse.runtime.activations.calibrate import Split
from tflite_sparse.runtime.data.given import given_inputs
from tflite_sparse.runtime.data.images import SUFFIXES, ImageOptions

if TYPE_CHECKING:
    from pathlib import Path

MODEL = FOLDER / "mobilenet_tiny_80.tflite"
SPARSE = FOLDER / "mobilenet_tiny_80_sparse.tflite"
DIGITS = FOLDER / "trained" / "digits.tflite"


def words(text: str) -> str:
    return " ".join(text.split())


def changed_tensors(before: Path, after: Path) -> set[str]:
    one, two = (Model.read(path) for path in (before, after))
    pairs = zip(one.main.tensors, two.main.tensors, strict=True)
    return {a.name for a, b in pairs if a.buffer.data.tobytes() != b.buffer.data.tobytes()}


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    folder.mkdir()
    shape = Model.read(MODEL).main.inputs[0].shape
    rng = np.random.default_rng(0)
    np.save(folder / "all.npy", rng.normal(size=(40, *shape)).astype(np.float32))
    return folder


@pytest.mark.parametrize(
    "command", [("prune", "--zeros", "90%"), ("compress", "--values", "int8")], ids=lambda c: c[0]
)
def test_data_that_are_not_finite_are_refused(
    tmp_path: Path, arrays: Path, command: tuple[str, ...]
) -> None:
    values = np.load(arrays / "all.npy")
    values[1, 0, 0, 0] = np.nan
    np.save(arrays / "all.npy", values)
    out = tmp_path / "out.tflite"
    done = call(command[0], MODEL, "-o", out, *command[1:], "--data", arrays)
    assert done.code == 2
    assert "not finite" in done.err
    assert not out.exists()


def test_without_data_the_smallest_become_zero_and_quality_is_unknown(tmp_path: Path) -> None:
    out = tmp_path / "pruned.tflite"
    done = call("prune", MODEL, "-o", out, "--zeros", "90%")
    assert done.code == 0, done.err
    assert "quality is unknown without --data" in words(done.out)
    assert "5 of 5" in done.out
    changed = changed_tensors(MODEL, out)
    assert changed == {f"block{i}/pointwise/filter" for i in range(5)}
    assert out.stat().st_size == MODEL.stat().st_size
    for tensor in Model.read(out).main.tensors:
        if tensor.name in changed:
            assert np.mean(tensor.data == 0) == pytest.approx(0.9, abs=2e-3)


def test_the_document_is_as_its_schema_says(tmp_path: Path, arrays: Path) -> None:
    out = tmp_path / "pruned.tflite"
    done = call("prune", MODEL, "-o", out, "--zeros", "0.9", "--data", arrays, "--json")
    document = done.document("prune")
    assert document["written"] == str(out)
    assert (document["method"], document["allocation"]) == ("calibrated", "uniform")
    assert document["calibrated_on"] == 30
    assert document["quality"]["inputs"] == 10
    assert document["zeros"] / document["elements"] == pytest.approx(0.9, abs=5e-3)
    assert all(f["error"] is not None for f in document["filters"])
    names = changed_tensors(MODEL, out)
    assert {f["name"] for f in document["filters"]} <= names


def test_fitted_values_are_nearer_than_the_largest(tmp_path: Path, arrays: Path) -> None:
    signal = {}
    for method in ("magnitude", "calibrated"):
        document = call(
            "prune", MODEL, "-o", tmp_path / method, "--zeros", "0.9", "--data", arrays,
            "--method", method, "--allocate", "uniform", "--json",
        ).document("prune")  # fmt: skip
        signal[method] = document["quality"]["outputs"][0]["snr"]
        assert document["calibrated_on"] == (0 if method == "magnitude" else 30)
    assert signal["calibrated"] > signal["magnitude"] + 3


def test_too_little_agreement_writes_nothing_unless_forced(tmp_path: Path, arrays: Path) -> None:
    out = tmp_path / "pruned.tflite"
    line = ["prune", MODEL, "-o", out, "--zeros", "0.99", "--data", arrays, "--min-agreement", "1"]
    done = call(*line, "--method", "magnitude", "--allocate", "uniform")
    assert done.code == 1
    assert "less than 100 %; --force writes it all the same" in words(done.out)
    assert not out.exists()
    assert call(*line, "--method", "magnitude", "--allocate", "uniform", "--force").code == 0
    assert out.exists()


def test_speed_and_size_say_how_many_zeros(tmp_path: Path) -> None:
    model = tmp_path / "dense.tflite"
    model.write_bytes(stack(zeros=0.0))
    line = ["prune", model, "--dry-run", "--json", "--target", "wasm"]
    document = call(*line, "--speed", "2.4").document("prune")
    (speed,) = document["speed"]
    assert speed["dense_ms"] / speed["ms"] == pytest.approx(2.4, rel=0.02)
    out, small = tmp_path / "pruned.tflite", tmp_path / "small.tflite"
    assert call("prune", model, "-o", out, "--size", "60K").code == 0
    assert call("optimize", out, "-o", small).code == 0
    assert small.stat().st_size == pytest.approx(60 * 1024, rel=0.05)
    for option, value in (("--speed", "50"), ("--size", "2000")):
        done = call("prune", model, "--dry-run", option, value)
        assert done.code == 2
        assert "; ask for" in done.err


def test_a_size_counts_what_is_not_pruned_as_it_is(tmp_path: Path) -> None:
    # The last convolution runs dense whatever its zeros.
    dense, out, small = (tmp_path / f"{name}.tflite" for name in ("dense", "out", "small"))
    dense.write_bytes(architectures.build("mobilenet_v1", small=True, zeros=0.0))
    assert call("prune", dense, "-o", out, "--size", "500K").code == 0
    assert call("optimize", out, "-o", small, "--no-verify").code == 0
    assert small.stat().st_size == pytest.approx(500 * 1024, rel=0.01)


def test_filters_can_be_named(tmp_path: Path) -> None:
    out = tmp_path / "pruned.tflite"
    done = call(
        "prune", MODEL, "-o", out, "--zeros", "0.9", "--layer", "block0*=0.85",
        "--exclude", "stem*", "--block", "2", "--json",
    ).document("prune")  # fmt: skip
    shares = {f["name"]: f["zeros"] / f["elements"] for f in done["filters"]}
    assert 0.85 <= shares["block0/pointwise/filter"] < 0.95
    assert any("--exclude" in left["reason"] for left in done["left"])
    data = Model.read(out).main
    filt = next(t.data for t in data.tensors if t.name == "block3/pointwise/filter")
    rows = np.asarray(filt).reshape(len(filt), -1) == 0
    assert np.mean(rows[0::2] & rows[1::2]) > 0.89


def test_filters_of_one_name_are_told_apart_by_their_operators(tmp_path: Path) -> None:
    """As kernels of one Keras layer, which the converter may give one name."""
    twins = Model.read(MODEL)
    filters = [t for t in twins.main.tensors if t.name.endswith("/pointwise/filter")][:3]
    for tensor in filters:
        tensor.table["name"] = "layer/kernel"
    twins.main.edited = True
    model, out = tmp_path / "twins.tflite", tmp_path / "pruned.tflite"
    twins.write(model)
    line = ["prune", model, "-o", out, "--zeros", "0.9", "--force"]
    whole = call(*line, "--json").document("prune")
    labels = [f["operators"][0] for f in whole["filters"] if f["name"] == "layer/kernel"]
    assert len(set(labels)) == 3
    shares = {
        f["operators"][0]: f["zeros"] / f["elements"]
        for f in call(*line, "--layer", f"{labels[1]}=0.95", "--json").document("prune")["filters"]
    }
    assert [shares[label] > 0.93 for label in labels] == [False, True, False]
    told = call(*line)
    rows = [row.split() for row in told.out.splitlines() if "layer/kernel" in row]
    assert len({" ".join(row) for row in rows}) == 3
    left = call(*line, "--exclude", labels[1], "--json").document("prune")["left"]
    assert [w["operators"] for w in left if "--exclude" in w["reason"]] == [[labels[1]]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "one thing must say how many weights become zero"),
        (["--zeros", "0.5"], "run dense: together they need"),
        (["--zeros", "0.8", "--method", "calibrated"], "calibrated asks for data"),
        (["--zeros", "0.8", "--metric", "m:f"], "--metric asks for --data"),
        (["--zeros", "0.8", "--mean", "1"], "asks for --data"),
        (["--zeros", "0.8", "--data", "nowhere"], "no such folder"),
        (["--zeros", "0.8", "--data", "no_module:f"], "no_module"),
        (["--zeros", "0.8", "--layer", "x"], "is no share of a filter"),
        (["--zeros", "0.8", "--layer", "nothing*=0.9"], "no filter that is pruned is called"),
        (["--zeros", "0.8", "--layer", "stem/filter=0.9"], "stem/filter is not pruned, and so"),
        (["--zeros", "0.8", "--runtime", "litert-0.1"], "litert-0.1"),
        (["--zeros", "0.8", "--only", "none"], "none of the filters that are asked for"),
        (["--zeros", "0.8", "--min-agreement", "0.5"], "--min-agreement is for classifiers"),
    ],
)
def test_what_cannot_be_done_is_one_line(options: list[str], message: str) -> None:
    done = call("prune", MODEL, "--dry-run", *options)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_filters_that_are_stored_sparse_are_not_said_to_run_dense() -> None:
    done = call("prune", SPARSE, "--zeros", "0.9", "--dry-run")
    assert done.code == 2
    assert "stored sparse already; tflite-sparse densify" in done.err


def test_a_net_that_cannot_run_sparse_says_why(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(build(lambda g: g.conv2d(g.input((1, 8, 8, 32)), 32)))
    done = call("prune", model, "--zeros", "0.8", "--dry-run")
    assert done.code == 2
    assert "no filter of the model would run sparse, so that zeros win nothing: it runs" in done.err


def test_functions_give_inputs_and_measure(tmp_path: Path, monkeypatch) -> None:
    shape = Model.read(MODEL).main.inputs[0].shape
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def inputs():\n"
        f"    return (np.full({shape}, n / 9, np.float32) for n in range(8))\n"
        "def largest(outputs, inputs):\n"
        "    assert len(outputs) == len(inputs) == 2\n"
        "    return max(float(v.max()) for run in outputs for v in run.values())\n"
    )
    monkeypatch.chdir(tmp_path)
    done = call(
        "prune", MODEL, "-o", "out.tflite", "--zeros", "0.8", "--data", "mine:inputs", "--metric",
        "mine:largest", "--json",
    )  # fmt: skip
    quality = done.document("prune")["quality"]
    assert set(quality["before"]) == set(quality["after"]) == {"largest"}


def test_an_older_release_is_one_of_the_targets() -> None:
    done = call("prune", MODEL, "--dry-run", "--zeros", "0.8", "--runtime", "litert-1.3", "--json")
    targets = [view["target"] for view in done.document("prune")["speed"]]
    assert targets == ["arm64@litert-1.3", "armv7@litert-1.3", "wasm"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-agreement", "0.9"], "that --values or --prune changes"),
        (["--mean", "1"], "--mean, --std and --layout ask for --data"),
        (["--prune", "0.8", "--min-agreement", "0.9"], "--min-agreement is for classifiers"),
    ],
)
def test_what_optimize_cannot_prune_is_one_line(options: list[str], message: str) -> None:
    done = call("optimize", MODEL, "--dry-run", *options)
    assert done.code == 2
    assert message in done.err


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Digits on which the net was not trained, as images."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    for number, values in enumerate(np.load(DIGITS.with_suffix(".npz"))["pictures"]):
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder


def test_fitted_values_keep_a_trained_net_alive_that_magnitude_kills(pictures: Path) -> None:
    line = ["prune", DIGITS, "--zeros", "0.8", "--dry-run", "--data", pictures]
    line += ["--mean", "0", "--std", "255", "--json", "--method"]
    ways = {"magnitude": (), "calibrated": (), "fidelity": ("--allocate", "fidelity")}
    left = {}
    for way, more in ways.items():
        method = "magnitude" if way == "magnitude" else "calibrated"
        document = call(*line, method, *more).document("prune")
        assert all(view["sparse"] == len(document["filters"]) for view in document["speed"])
        left[way] = document["quality"]["outputs"][0]
        assert left[way]["top1_margin"] == pytest.approx(margin_of(left[way]["top1"], 50))
        assert document["images"]["mean_from"] == "option"
    # Spread by what is lost, none is left dense, and none loses nearly all.
    shares = [filt["zeros"] / filt["elements"] for filt in document["filters"]]
    assert 0.59 < min(shares) < max(shares) < 0.89
    assert left["magnitude"]["top1"] < 0.5
    assert left["calibrated"]["top1"] > 0.8
    assert left["calibrated"]["kl"] < 0.2 * left["magnitude"]["kl"]
    assert left["fidelity"]["kl"] < left["calibrated"]["kl"]


def test_optimize_takes_images_and_stops_where_too_little_agrees(
    tmp_path: Path, pictures: Path
) -> None:
    out = tmp_path / "out.tflite"
    line = [
        "optimize", DIGITS, "-o", out, "--prune", "0.95", "--data", pictures, "--mean", "0",
        "--std", "255", "--min-agreement", "1", "--no-verify",
    ]  # fmt: skip
    done = call(*line)
    assert done.code == 1, done.err
    assert "less than 100 %; --force writes it all the same" in words(done.out)
    assert not out.exists()
    assert call(*line, "--json").document("prune")["refused"]
    done = call(*line, "--force", "--values", "int8")
    assert done.code == 0
    assert out.exists()
    # Of the file, with its zeros and its rounding together.
    dense, written = (Model.read(path) for path in (DIGITS, out))
    inputs = given_inputs(str(pictures), dense, ImageOptions((0.0,), (255.0,)))
    agreement = judge(dense, written, Split.of(inputs).held_out).agreement
    margin = f"(±{100 * margin_of(agreement, 50):.1f} points, 95 % margin)"
    assert f"{100 * agreement:.1f} % {margin} of 50 inputs held out" in words(done.out)
    assert "50 inputs held out give a rough figure of quality" in words(done.out)
    assert "16x16, NHWC by the input's shape" in done.out
    assert "mean 0 and std 255, as asked for" in done.out
    assert "that is far from the dense model" in words(done.out)


def test_sizes_that_a_model_leaves_open_can_be_said(tmp_path: Path) -> None:
    opened = Model.read(MODEL)
    opened.main.inputs[0].table["shape_signature"] = np.array([1, -1, -1, 3], np.int32)
    opened.main.edited = True
    model, out, data = (tmp_path / name for name in ("open.tflite", "out.tflite", "all.npy"))
    opened.write(model)
    inputs = np.random.default_rng(0).normal(size=(8, 1, 48, 48, 3))
    np.save(data, inputs.astype(np.float32))
    line = ["--zeros", "0.8", "--data", data, "--input-shape", "1,48,48,3", "--json"]
    document = call("prune", model, "-o", out, *line).document("prune")
    assert document["quality"]["inputs"] == 2
    before, after = (Model.read(path).main.tensors for path in (model, out))
    assert [tensor.shape for tensor in after] == [tensor.shape for tensor in before]


def test_optimize_prunes_first_and_proves_the_rest(tmp_path: Path, arrays: Path) -> None:
    model, out = tmp_path / "dense.tflite", tmp_path / "small.tflite"
    shutil.copy(MODEL, model)
    done = call(
        "optimize", model, "-o", out, "--prune", "0.9", "--data", arrays, "--values", "int8",
        "--json",
    )  # fmt: skip
    document = done.document("rewrite")
    assert document["verified"], document["verification"]
    assert document["pruning"]["quality"]["inputs"] == 10
    assert document["quality"]["inputs"] == 10
    assert document["quality"]["outputs"] != document["pruning"]["quality"]["outputs"]
    assert out.stat().st_size < 0.5 * model.stat().st_size
    assert ".png" in SUFFIXES
