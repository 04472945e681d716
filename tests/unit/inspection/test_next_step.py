"""The one thing to do next: right for the model, and done by the command that is named."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.command import call
from tests.support.nets.small_nets import build
from tests.support.nets.weights import block_mask
from tests.support.real_models import real_model
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import NextStep, next_step, on_any_machine
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

DATA = Path(__file__).parents[3] / "testdata"


def stem(g: GraphBuilder) -> Value:
    x = g.pad_spatial(g.input((1, 32, 32, 3)))
    return g.conv2d(x, 8, kernel=3, stride=2, padding="VALID")


def built(make: Callable[[GraphBuilder], Value]) -> Model:
    return Model.read(build(make), "folder/my model.tflite")


def step(model: Model) -> NextStep:
    return next_step(inspect(model))


def pruned(shape: tuple[int, ...], rest: float) -> np.ndarray:
    values = np.random.default_rng(0).uniform(0.5, 1, shape).astype(np.float32)
    values.reshape(-1)[: values.size * 9 // 10] = rest
    return values


def test_a_model_that_lacks_nothing_but_the_storage_is_stored_sparse() -> None:
    found = step(built(lambda g: g.mean(g.conv2d(stem(g), 64, zeros=0.9))))
    # The path as it was given, and the result in the folder at hand.
    command = "tflite-sparse sparsify 'folder/my model.tflite' -o 'my model_sparse.tflite'"
    assert found.command == command
    page = on_any_machine(inspect(built(lambda g: g.mean(g.conv2d(stem(g), 64, zeros=0.9)))))
    assert next_step(page).command == command.replace("folder/", "")


def test_a_model_that_is_spelled_wrong_but_has_its_zeros_is_rewritten() -> None:
    found = step(Model.read(DATA / "mobilenet_tiny_80_same.tflite"))
    assert found.command == (
        f"tflite-sparse optimize {DATA / 'mobilenet_tiny_80_same.tflite'}"
        " -o mobilenet_tiny_80_same_sparse.tflite"
    )


def wide(zeros: float) -> Model:
    def make(g: GraphBuilder) -> Value:
        x = g.conv2d(stem(g), 128, kernel=3, zeros=0.0)
        return g.mean(g.conv2d(x, 128, kernel=3, zeros=zeros))

    return built(make)


def test_zeros_of_convolutions_wider_than_1x1_count_and_lead_to_optimize() -> None:
    few, many = (inspect(wide(zeros)) for zeros in (0.3, 0.9))
    assert many.totals.wide_weights == 9 * (8 + 128) * 128
    assert many.totals.wide_zeros > few.totals.wide_zeros
    assert many.runtime[0].wide == (2 + 1,)
    found = next_step(many)
    assert found.title == "Make its wide convolutions sparse"
    assert found.command is not None
    assert found.command.startswith("tflite-sparse optimize")
    assert "times as fast in the browser" in found.gain
    # The near miss: with few zeros nothing is won.
    assert next_step(few).title != found.title
    assert few.runtime[0].wide == ()


def between(kernel: int, zeros: float = 0.0) -> Model:
    """1x1 convolutions with zeros, each behind a wider one with as many as told."""

    def make(g: GraphBuilder) -> Value:
        x = stem(g)
        for _ in range(3):
            x = g.conv2d(x, 128, kernel=kernel, zeros=zeros)
            x = g.conv2d(x, 128, zeros=0.9)
        return g.mean(x)

    return built(make)


def test_nothing_is_promised_where_no_rewrite_mends_the_main_cause() -> None:
    advice = step(between(3))
    assert advice.title == "See whether optimize finds a way"
    assert advice.command == "tflite-sparse optimize 'folder/my model.tflite' --dry-run"
    assert "is a 3x3 convolution" in advice.why
    assert "2 other operators have the same problem" in advice.why
    assert not advice.gain
    # The near miss: with zeros in these too they become sums of 1x1 convolutions.
    assert "--dry-run" not in (step(between(3, zeros=0.9)).command or "")


def test_a_model_without_enough_zeros_is_to_be_pruned_and_the_command_does_it() -> None:
    model = real_model("hand_landmark_full")
    found = step(Model.read(model))
    assert found.command is not None
    assert found.command.startswith(f"tflite-sparse optimize {model}")
    assert " --prune 0.8 -o " in found.command
    assert "more than 66.7 % must be" in found.why


def test_where_pruning_would_win_nothing_no_command_is_given() -> None:
    found = step(built(lambda g: g.mean(g.conv2d(stem(g), 8, zeros=0.0))))
    assert found.command is None
    assert found.title == "Prune before conversion"


def test_near_zeros_that_would_be_enough_are_made_zero() -> None:
    filters = pruned((64, 1, 1, 8), 1e-12)
    found = step(built(lambda g: g.mean(g.conv2d(stem(g), 64, filters=filters))))
    assert found.command is not None
    assert found.command.endswith("--zero-below 1e-10")
    few = filters.copy()
    few.reshape(-1)[: few.size // 2] = 1
    assert step(built(lambda g: g.mean(g.conv2d(stem(g), 64, filters=few)))).command is None


def test_a_model_that_computes_wrong_numbers_is_made_dense() -> None:
    def make(g: GraphBuilder) -> Value:
        x = g.conv2d(stem(g), 16, zeros=0.8, storage="sparse")
        x = g.depthwise(x, stride=2, padding="SAME")
        return g.mean(g.conv2d(x, 16, zeros=0.9))

    model = built(make)
    assert inspect(model).runtime[0].outcome == "wrong_numbers"
    found = step(model)
    assert found.title == "Do not ship this file"
    assert found.command is not None
    assert " densify " in found.command


def test_a_model_that_runs_sparse_is_measured() -> None:
    found = step(Model.read(real_model("pose_detection")))
    assert found.command is not None
    assert " bench " in found.command
    assert found.command.endswith("--on web")


@pytest.mark.parametrize(("width", "command"), [(4, "optimize"), (1, "bench")])
def test_blocks_in_slow_kernels_are_broken_before_anything_is_measured(
    width: int, command: str
) -> None:
    def make(g: GraphBuilder) -> Value:
        mask = block_mask(g.rng, (64, 1, 1, 8), (width, 1, 1, 1), 0.8)
        x = g.conv2d(stem(g), 64, mask=mask, storage="sparse")
        return g.mean(x)

    assert (step(built(make)).command or "").split()[1] == command


def test_what_a_step_brings_is_an_estimate_for_the_browser_and_the_size() -> None:
    same = step(Model.read(DATA / "mobilenet_tiny_80_same.tflite"))
    assert same.gain == "Up to about 1.4 times as fast in the browser and 50 % of the size."
    stored = step(Model.read(DATA / "mobilenet_tiny_80.tflite"))
    assert stored.gain == "About 1.4 times as fast in the browser and 50 % of the size."


def test_a_dense_model_is_told_what_pruning_would_win() -> None:
    dense = step(Model.read(real_model("hand_landmark_full")))
    assert dense.title == "Prune it"
    assert "With 80 % zeros in its 1x1 filters it would be up to about" in dense.gain


def test_nothing_is_promised_where_the_sparse_path_is_off() -> None:
    model = built(lambda g: g.mean(g.conv2d(stem(g), 64, zeros=0.9)))
    found = next_step(inspect(model, targets=[target("x86-avx")]))
    assert "On x86-avx the sparse path is off by design." in found.why
    assert found.gain == ""


def test_a_model_without_pointwise_convolutions_may_still_get_smaller() -> None:
    dense = step(built(lambda g: g.fully_connected(g.input((1, 64)), 64)))
    assert (dense.title, dense.command) == ("Nothing to do", None)
    sparse = step(built(lambda g: g.fully_connected(g.input((1, 64)), 64, zeros=0.9)))
    assert sparse.command is not None
    assert " sparsify " in sparse.command


def test_a_damaged_model_is_checked() -> None:
    model = built(lambda g: g.mean(g.conv2d(stem(g), 64, zeros=0.9)))
    tensor = next(t for t in model.subgraphs[0].tensors if t.shape == (64, 1, 1, 8))
    tensor.buffer.data = tensor.buffer.data[:-4].copy()
    damaged = Model.read(model.to_bytes(), "my.tflite")
    assert step(damaged).command == "tflite-sparse lint my.tflite"


def test_a_name_cannot_add_a_command() -> None:
    data = (DATA / "mobilenet_tiny_80.tflite").read_bytes()
    name = "a; rm -rf ~ 'x' $(b).tflite"
    command = step(Model.read(data, name)).command
    assert command is not None
    assert shlex.split(command)[2] == name


@pytest.mark.parametrize("name", ["mobilenet_tiny_80", "mobilenet_tiny_80_same"])
def test_following_the_advice_leads_to_a_model_that_runs_sparse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "m.tflite").write_bytes((DATA / f"{name}.tflite").read_bytes())
    monkeypatch.chdir(tmp_path)
    command = step(Model.read("m.tflite")).command
    assert command is not None
    assert call(*shlex.split(command)[1:]).code == 0
    after = Model.read("m_sparse.tflite")
    assert inspect(after).runtime[0].outcome == "sparse"
    assert step(after).title == "Measure it"


def test_what_was_won_over_the_original_is_told_by_another_command_than_the_estimate():
    model = DATA / "mobilenet_tiny_80_sparse.tflite"
    measured = step(Model.read(model))
    assert measured.command == f"tflite-sparse bench {model} --on web"
    assert f"'tflite-sparse bench ORIGINAL {model} --on web'" in measured.why


def test_a_file_whose_name_begins_like_an_option_is_named_as_a_path() -> None:
    model = Model.read((DATA / "mobilenet_tiny_80.tflite").read_bytes(), "-a.tflite")
    assert step(model).command == "tflite-sparse sparsify ./-a.tflite -o ./-a_sparse.tflite"
