"""What more zeros would win: told where they lack, and as `prune` and `optimize` do it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.architectures import build
from tests.support.command import call
from tests.support.real_models import real_model
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.model import Model
from tflite_sparse.pruning.curve import pruning_curve
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.releases.targets import target

DATA = Path(__file__).parents[3] / "testdata"
LITE = "hand_landmark_lite"


def test_a_dense_model_is_told_what_three_shares_of_zeros_win() -> None:
    points = inspect(Model.read(real_model(LITE))).what_if
    assert [point.zeros for point in points] == [0.7, 0.8, 0.9]
    assert all(point.at_most and point.target == "wasm" for point in points)
    times = [point.times or 0 for point in points]
    assert times == sorted(times)
    assert [point.size for point in points] == sorted((p.size for p in points), reverse=True)


def test_for_phones_alone_it_is_told_in_instructions_and_about_as_much_as_is_won() -> None:
    """MobileNetV2 1.0 224: 1.34, 1.74 and 2.49 times fewer were counted on a Cortex-A76."""
    model = Model.read(build("mobilenet_v2", zeros=0.0))
    looked = inspect(model, targets=[target("arm64")])
    assert all(point.counted and point.target == "arm64" for point in looked.what_if)
    for point, counted in zip(looked.what_if, (1.34, 1.74, 2.49), strict=True):
        assert point.times == pytest.approx(counted, rel=0.12)
    step = next_step(looked)
    assert "times fewer instructions on arm64" in step.gain
    assert step.command is not None
    assert "--target arm64" in step.command


@pytest.mark.parametrize("name", ["mobilenet_tiny_80.tflite", "mobilenet_tiny_80_sparse.tflite"])
def test_a_model_that_has_its_zeros_is_told_nothing(name: str) -> None:
    assert inspect(Model.read(DATA / name)).what_if == ()


def test_the_curve_is_what_pruning_and_optimizing_come_to() -> None:
    model = Model.read(real_model(LITE))
    curve = pruning_curve(model, [0.5, 0.9])
    assert curve is not None
    few, many = curve.points
    assert (few.sparse, few.size, few.times[0].times) == (0, model.size, 1.0)
    made = optimize(prune(model, PruneOptions(zeros=0.9)).model).model
    assert many.size == pytest.approx(len(made.to_bytes()), rel=0.01)
    planned = plan(made.main, "wasm")
    time = estimate(planned, made.main)
    assert time is not None
    assert many.times[0].ms == pytest.approx(time.planned_ms, rel=0.01)
    assert many.sparse == len(curve.filters)
    bound = inspect(model).what_if[-1]
    assert many.times[0].times <= (bound.times or 0)
    assert many.size == pytest.approx(bound.size, rel=0.1)


def test_filters_of_an_average_count_where_they_scale_a_map_and_not_in_a_classifier() -> None:
    """MobileNetV3 has both: squeeze and excitation, and two 1x1 convolutions behind its end."""
    model = Model.read(build("mobilenet_v3_small", zeros=0.0))
    point = inspect(model).what_if[-1]
    pruned = prune(model, PruneOptions(zeros=0.9))
    assert point.layers == len(pruned.report.filters)
    assert point.size == pytest.approx(len(optimize(pruned.model).model.to_bytes()), rel=0.01)


def test_a_share_that_is_asked_for_is_worked_out() -> None:
    path = str(real_model(LITE))
    out = call("inspect", path, "--what-if", "80%", "--what-if", "0.6").out
    assert "60 %  no faster in the browser" in out
    assert "up to" not in out.split("If pruned")[1]
    refused = call("inspect", path, "--what-if", "80%", "--graph")
    assert refused.code == 2
    assert "two views" in refused.err


def test_a_model_in_which_nothing_would_run_sparse_says_so() -> None:
    out = call("inspect", str(real_model("hand_recrop")), "--what-if", "0.8").out
    assert "No 1x1 convolution would run sparse" in out


def test_wide_filters_that_are_part_of_the_gain_are_part_of_the_size() -> None:
    model = Model.read(build("resnet50_wide", small=True, zeros=0.0))
    inspection = inspect(model)
    wide = sum(weight.elements for weight in inspection.weights if weight.wide)
    narrow = sum(weight.elements for weight in inspection.weights if weight.pointwise)
    (point,) = (point for point in inspection.what_if if point.zeros == 0.9)
    assert wide > 0
    assert point.layers > sum(weight.pointwise for weight in inspection.weights)
    # Nine tenths of the values go, and each that is left has an index of a byte or two.
    assert point.size < inspection.size - 3 * (narrow + wide)
