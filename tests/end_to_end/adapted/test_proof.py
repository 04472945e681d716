"""The harness itself: zeros are put where they belong, and differences are seen."""

from __future__ import annotations

import numpy as np
import pytest

from tests.end_to_end.adapted.proof import facts, largest_difference
from tests.end_to_end.adapted.subjects import SUBJECTS, Subject, masked
from tests.end_to_end.adapted.table import gain, markdown
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.runtime.observations import RunResult


def net(storage: str) -> bytes:
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(g.input((1, 8, 8, 3)), 8, 3, storage=storage.removesuffix("-sparse") or "dense")
    x = g.conv2d(x, 10, zeros=0.5, storage=storage)
    g.output(g.fully_connected(g.mean(x), 5, storage=storage))
    return model.build()


def filters(data: bytes) -> dict[tuple[int, ...], np.ndarray]:
    tensors = [t for t in Model.read(data).subgraphs[0].tensors if t.is_constant]
    return {t.shape: np.asarray(t.data) for t in tensors if len(t.shape) > 1}


@pytest.mark.parametrize("storage", ["dense", "fp16", "fp16-sparse"])
def test_zeros_go_into_pointwise_and_fully_connected_filters_only(storage):
    before, after = filters(masked(net(storage), 0)), filters(masked(net(storage), 0.8))
    zeros = {shape: np.count_nonzero(values == 0) for shape, values in after.items()}
    assert zeros == {(8, 3, 3, 3): 0, (10, 1, 1, 8): 64, (5, 10): 40}
    for shape, values in before.items():
        kept = after[shape] != 0
        assert np.array_equal(values[kept], after[shape][kept])
        assert np.abs(values[~kept]).max(initial=0) <= np.abs(values[kept]).min()


def test_a_filter_with_more_zeros_keeps_them():
    found = filters(masked(net("dense"), 0.3))
    assert np.count_nonzero(found[10, 1, 1, 8] == 0) == 40


def result(**outputs: list[float]) -> RunResult:
    return RunResult("ok", "", ({k: np.array(v, np.float32) for k, v in outputs.items()},))


def test_the_largest_difference_is_a_share_of_each_output():
    right = result(a=[4.0, 1.0], b=[0.01])
    assert largest_difference(right, right) == 0
    assert largest_difference(right, result(a=[4.0, 1.5], b=[0.01])) == pytest.approx(0.12, 0.05)
    assert largest_difference(right, result(a=[4.0, 1.0], b=[0.02])) == 1


@pytest.mark.parametrize(
    "found",
    [
        result(a=[1.0, float("nan")]),
        result(a=[1.0]),
        result(b=[1.0, 2.0]),
        RunResult("crashed", "it did"),
    ],
)
def test_what_cannot_be_compared_is_no_difference_at_all(found):
    assert largest_difference(result(a=[1.0, 2.0]), found) is None


def test_inputs_of_a_subject_lie_in_its_range_and_differ_by_trial():
    first, second = Subject("net", "built", lambda: net("dense"), 0.0, 255.0).feeds(2)
    assert first["0"].shape == (1, 8, 8, 3)
    assert first["0"].min() >= 0
    assert first["0"].max() > 200
    assert not np.array_equal(first["0"], second["0"])


def test_a_row_becomes_a_line():
    data = net("dense")
    row = {
        **facts(data, data, data),
        "web_ms": {"dense": 10.0, "sparse": 10.0, "adapted": 4.0, "gain": 2.5},
        "difference": {"dense": 1e-7, "sparse": None},
        "why": "it is small",
    }
    assert gain(row) == 2.5
    line = markdown({"runtime": "LiteRT", "models": {"net": row}}).splitlines()[-1]
    assert line.startswith(
        "| net | dense → dense | 0 % → 0 % | 0 → 0 of 1 | 100 % | 10 | 10 | 4 | 2.5"
    )
    assert line.endswith("| 1e-07, - | it is small |")


def test_real_and_built_models_are_subjects():
    assert {"pose_landmark_heavy", "hand_landmark_full", "mobilenet_v1"} <= set(SUBJECTS)
