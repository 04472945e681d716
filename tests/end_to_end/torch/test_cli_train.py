"""`prune --method train`: a pruned file is trained on, in one process or in two."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.support.adapted import head, separable, trunk
from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tests.support.nets.small_nets import build
from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.pruning import trained
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.pruning.recipe import Recipe, RecipeLayer
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping import sweep as engine
from tflite_sparse.torch import DistillOptions
from tflite_sparse.torch.training.division import divide
from tflite_sparse.torch.training.processes import Processes

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

DIGITS = FOLDER / "trained" / "digits.tflite"
SHORT = ("--method", "train", "--train-batch", "16", "--device", "cpu")


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with inputs and their classes."""
    folder = tmp_path_factory.mktemp("given")
    stored = np.load(DIGITS.with_suffix(".npz"))
    np.save(folder / "inputs.npy", stored["pictures"][:, None].astype(np.float32) / 255)
    np.save(folder / "classes.npy", stored["classes"])
    (folder / "photos").mkdir()
    (folder / "classes.txt").write_text("\n".join(str(one) for one in stored["classes"][:12]))
    for number, picture in enumerate(stored["pictures"][:12]):
        Image.fromarray(picture).save(folder / "photos" / f"{number:02}.png")
    (folder / "more.txt").write_text("\n".join(["10"] * 200))
    (folder / "words.txt").write_text("cat\ndog\n")
    np.save(folder / "halves.npy", np.full(200, 0.5))
    with (folder / "archive.npy").open("wb") as file:
        np.savez(file, classes=stored["classes"])
    (folder / "cut.npy").write_bytes((folder / "archive.npy").read_bytes()[:90])
    return folder


def line(given: Path, *more: object) -> list[object]:
    return ["prune", DIGITS, "--zeros", "0.8", "--data", given / "inputs.npy", *SHORT, *more]


def test_training_begins_with_what_calibration_left_and_goes_on_where_it_stopped(
    tmp_path: Path, given: Path
) -> None:
    out, again, state = tmp_path / "out.tflite", tmp_path / "again.tflite", tmp_path / "state"
    more = ("--steps", "12", "--learning-rate", "1e-3", "--labels", given / "classes.npy", "--json")
    document = call(*line(given, *more, "-o", out, "--checkpoint", state)).document("prune")
    training = document["training"]
    assert (training["steps"], training["planned"], training["batch"]) == (12, 12, 16)
    assert (training["held_out"], training["labelled"], training["processes"]) == (15, True, 1)
    assert training["evaluations"][0]["step"] == 0
    assert training["learning_rate"] == {"rate": 1e-3, "source": "given", "tried": []}
    assert training["before"]["inputs"] == document["quality"]["inputs"] == 50
    # Without training: what calibration alone leaves.
    calibrated = call(
        "prune", DIGITS, "--zeros", "0.8", "--data", given / "inputs.npy", "--dry-run", "--json"
    ).document("prune")
    assert calibrated["training"] is None
    assert (calibrated["calibrated_on"], document["calibrated_on"]) == (150, 135)
    assert [f["zeros"] for f in document["filters"]] == [f["zeros"] for f in calibrated["filters"]]
    assert all(view["sparse"] == len(document["filters"]) for view in document["speed"])
    # The state is that of the end: nothing is left to train, and the result is the same.
    more = (*more, "-o", again, "--checkpoint", state)
    resumed = call(*line(given, *more))
    assert resumed.code == 0
    assert (
        f"note: {state} holds a training: where it is this one, it goes on from there"
        in resumed.err
    )
    assert out.read_bytes() == again.read_bytes()
    # Another model's state is refused.
    other = Model.read(DIGITS)
    bias = next(t for t in other.main.tensors if t.is_constant and len(t.shape) == 1)
    bias.buffer.data = np.asarray(bias.data) + 1
    other.write(tmp_path / "other.tflite")
    wrong = line(given, *more, "--dry-run")
    wrong[1] = tmp_path / "other.tflite"
    done = call(*wrong)
    assert done.code == 2
    assert "belongs to another training: model differs" in done.err


def test_what_training_begins_with_is_not_fitted_to_what_tells_how_far_it_is() -> None:
    pictures = np.load(DIGITS.with_suffix(".npz"))["pictures"][:40, None].astype(np.float32) / 255
    inputs, model = [{"0": picture} for picture in pictures], Model.read(DIGITS)
    training = DistillOptions(steps=1, batch=4, held_out=0.25, device="cpu")
    options = PruneOptions(zeros=0.8, method=Method.TRAIN, training=training, seed=3)
    made = prune(model, options, inputs)
    seen = sorted(divide(40, 0.25, 3).trained_on)
    assert (len(seen), made.report.calibrated_on, made.report.training.held_out) == (30, 30, 10)
    alone = PruneOptions(zeros=0.8, method=Method.CALIBRATED, seed=3)
    calibrated = prune(model, alone, [inputs[number] for number in seen])
    assert made.start.to_bytes() == calibrated.model.to_bytes()


@pytest.mark.parametrize("data", ["photos", "inputs.npy"])
def test_pictures_are_seen_in_part_where_one_asks_for_it(
    given: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.chdir(given)
    command = ("prune", DIGITS, "--zeros", "0.8", "--data", data, *SHORT, "--steps", "1", "-n")
    assert not call(*command, "--json").document("prune")["training"]["augmented"]
    done = call(
        *command, "--augment", "--labels", "classes.txt" if data == "photos" else "classes.npy"
    )
    assert "fixed masks, parts of pictures, cpu" in done.out


def test_a_training_that_is_interrupted_goes_on_to_the_result_that_it_would_have_had(
    tmp_path: Path, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out, state = (tmp_path / name for name in ("whole.tflite", "out.tflite", "state"))
    more = ("--steps", "106", "--learning-rate", "1e-3")
    assert call(*line(given, *more, "-o", whole)).code == 0
    tell, interrupted = trained._tell, []

    def interrupting(progress, far):
        tell(progress, far)
        if far.step == 103 and not interrupted:
            interrupted.append(far.step)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(trained, "_tell", interrupting)
    more = (*more, "-o", out, "--checkpoint", state)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stopped = call(*line(given, *more))
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.code == 130
    assert "interrupted" in stopped.err
    assert not out.exists()
    assert state.exists()
    assert call(*line(given, *more)).code == 0
    assert out.read_bytes() == whole.read_bytes()


def test_optimize_trains_what_it_prunes(tmp_path: Path, given: Path) -> None:
    out = tmp_path / "small.tflite"
    done = call(
        "optimize", DIGITS, "-o", out, "--prune", "0.8", "--data", given / "inputs.npy", *SHORT,
        "--epochs", "1", "--masks", "magnitude", "--values", "int8",
    )  # fmt: skip
    assert done.code == 0, done.err
    # 150 inputs, a tenth of them held out, 16 at a time; zeros come while it trains.
    assert "Trained on 9 batches of 16" in done.out
    assert "magnitude masks, cpu" in done.out
    assert "Adam learning rate 0.0001; too few batches to try others" in " ".join(done.out.split())
    assert ", calibrated" not in done.out
    assert out.stat().st_size < 0.5 * DIGITS.stat().st_size


def test_a_recipe_of_a_sweep_says_what_is_trained(
    tmp_path: Path, given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "thresholds", lambda *_: ())
    recipe, out, small = (tmp_path / name for name in ("recipe.json", "out.tflite", "s.tflite"))
    swept = call(
        "sweep", DIGITS, "--zeros", "75", "--jobs", 1, "--recipe", f"75={recipe}",
        "--format", "json", "--fresh",
    ).document("sweep")["sweep"]  # fmt: skip
    _, point = swept["points"]
    more = ("--data", given / "inputs.npy", *SHORT, "--steps", "3", "--json", "-o", out)
    document = call("prune", DIGITS, "--recipe", recipe, *more).document("prune")
    assert document["training"]["steps"] == 3
    # Trained values, and as many zeros in each filter as the sweep told of.
    assert {f["name"]: f["zeros"] for f in document["filters"]} == {
        layer["name"]: layer["zeros"] for layer in point["layers"]
    }
    assert call("optimize", out, "-o", small, "--no-verify").code == 0
    assert small.stat().st_size == point["sizes"][0]["bytes"]


@pytest.mark.parametrize(("asked", "amount"), [("--speed", "1.2"), ("--size", "34K")])
def test_training_ends_with_the_speed_or_the_size_that_is_asked_for(
    tmp_path: Path, given: Path, asked: str, amount: str
) -> None:
    out, small = tmp_path / "out.tflite", tmp_path / "small.tflite"
    line = ["prune", DIGITS, asked, amount, "--data", given / "inputs.npy", *SHORT]
    line += ["--steps", "4", "--target", "wasm", "-o", out, "--json"]
    document = call(*line).document("prune")
    assert (document["method"], document["training"]["steps"]) == ("train", 4)
    (speed,) = document["speed"]
    assert speed["sparse"] == len(document["filters"])
    if asked == "--speed":
        assert speed["dense_ms"] / speed["ms"] == pytest.approx(1.2, rel=0.02)
        return
    assert call("optimize", out, "-o", small, "--target", "wasm", "--no-verify").code == 0
    assert small.stat().st_size == pytest.approx(34 * 1024, rel=0.05)


def test_a_recipe_says_where_zeros_are_and_training_keeps_their_number(
    tmp_path: Path, given: Path
) -> None:
    line = ["prune", DIGITS, "--zeros", "0.8", "-n", "--json"]
    filters = call(*line).document("prune")["filters"]
    shares = [0.9 - 0.05 * number for number in range(len(filters))]
    layers = tuple(
        RecipeLayer(f["name"], f["elements"], round(share * f["elements"]))
        for f, share in zip(filters, shares, strict=True)
    )
    whole = sum(layer.zeros for layer in layers) / sum(layer.elements for layer in layers)
    recipe = Recipe(
        1, 64 * "0", whole, Method.MAGNITUDE, Allocation.UNIFORM, 1, StoredValues.FP32, (), layers
    )
    recipe.write(tmp_path / "recipe.json")
    line = ["prune", DIGITS, "--recipe", tmp_path / "recipe.json", "--data", given / "inputs.npy"]
    line += [*SHORT, "--steps", "4", "-o", tmp_path / "out.tflite", "--json"]
    document = call(*line).document("prune")
    assert (document["method"], document["training"]["steps"]) == ("train", 4)
    found = [f["zeros"] / f["elements"] for f in document["filters"]]
    assert found == pytest.approx(shares, abs=2e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "5", "--epochs", "1"], "--epochs and --steps both say how long to train"),
        (["--steps", "0"], "steps is 1 or more"),
        (["--minutes", "-1"], "minutes are more than 0"),
        (["--learning-rate", "nan"], "the learning rate is above 0"),
        (["--learning-rate", "fast"], "'fast' is no learning rate; --learning-rate 1e-4, or auto"),
        (["--device", "abacus"], "nothing can be computed on the device 'abacus'"),
        (["--labels", "more.txt"], "label 0 is 10, the model has 10 classes"),
        (["--labels", "words.txt"], "no classes: invalid literal"),
        (["--labels", "halves.npy"], "no classes, but values of type float64"),
        (["--labels", "nowhere.txt"], "No such file"),
        (["--labels", "archive.npy"], "no classes, but several arrays"),
        (["--labels", "cut.npy"], "no readable .npy file"),
        (["--checkpoint", "nowhere/state"], "the folder of the checkpoint does not exist"),
        (["--checkpoint", "."], "is a directory"),
        (["--method", "calibrated", "--steps", "5"], "--steps is for --method train"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    given: Path, monkeypatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(given)
    done = call(*line(given, *options, "--dry-run"))
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1


def test_training_asks_for_data_and_sweeps_do_not_train() -> None:
    done = call("prune", DIGITS, "--zeros", "0.8", "--dry-run", "--method", "train")
    assert done.code == 2
    assert "train asks for data" in done.err
    from tflite_sparse.sweeping.options import SweepOptions

    with pytest.raises(UsageError, match="a sweep trains nothing"):
        SweepOptions(method=Method.TRAIN)


def test_what_has_no_counterpart_in_pytorch_is_told_before_anything_is_computed(
    tmp_path: Path,
) -> None:
    def make(graph: GraphBuilder) -> Value:
        x = head(graph, separable(graph, separable(graph, trunk(graph))))
        return graph.op("CUMSUM", [x, graph.constant(np.int32(1))], [(x.shape, "FLOAT32")])[0]

    model = tmp_path / "model.tflite"
    model.write_bytes(build(make))
    np.save(tmp_path / "inputs.npy", np.zeros((8, 1, 16, 16, 3), np.float32))
    done = call(
        "prune", model, "--zeros", "0.8", "--dry-run", "--data", tmp_path / "inputs.npy", *SHORT
    )
    assert done.code == 2
    assert "CUMSUM #" in done.err


def test_a_batch_is_not_shared_by_more_processes_than_it_has_samples() -> None:
    processes = Processes("cpu")
    processes.count = 4
    with pytest.raises(UsageError, match="a batch of 3 cannot be shared by 4 processes"):
        processes.check_batch(3)


def torchrun(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
        *("--standalone", "-m", "tflite_sparse", *map(str, arguments)),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_train_one_file(tmp_path: Path, given: Path) -> None:
    out = tmp_path / "out.tflite"
    shutil.copy(DIGITS, tmp_path / "digits.tflite")
    arguments = line(given, "--steps", "12", "-o", out)
    done = torchrun(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    # The first one alone tells and writes.
    assert done.stdout.count("Written") == 1
    assert "in 2 processes" in done.stdout
    alone = tmp_path / "alone.tflite"
    assert call(*line(given, "--steps", "12", "-o", alone)).code == 0
    one, two = (Model.read(path).main.tensors for path in (alone, out))
    for left, right in zip(one, two, strict=True):
        if left.is_constant and len(left.shape) == 4:
            apart = np.abs(np.asarray(left.data) - np.asarray(right.data)).max()
            assert apart < 0.05 * np.abs(np.asarray(left.data)).max()
    # Without training there is nothing to share.
    refused = torchrun(tmp_path, "prune", DIGITS, "--zeros", "0.8", "--dry-run")
    assert refused.returncode != 0
    assert "several processes are for training alone" in refused.stderr
