"""Choosing and ordering weights, and the operators that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.weights.selection import Selection, select, unmatched
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection


@pytest.fixture(scope="module")
def found() -> Inspection:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 16, zeros=0.25, name="a/conv")
    x = graph.depthwise(x, name="b/deep")
    x = graph.conv2d(x, 8, zeros=0.75, name="c/conv")
    graph.output(graph.fully_connected(x, 2, zeros=0.5, name="d/dense"))
    return inspect(Model.read(builder.build()), targets=[target("arm64")])


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        (Selection(), "abcd"),
        (Selection(sort="zeros"), "cdab"),
        (Selection(sort="bytes"), "dbac"),
        (Selection(operators=("conv_2d",)), "ac"),
        (Selection(operators=("CONV_2D", "FULLY*")), "acd"),
        (Selection(operators=("#2",)), "c"),
        (Selection(name="?/conv/*"), "ac"),
        (Selection(min_zeros=0.5), "cd"),
        (Selection(min_bytes=577), "d"),
        (Selection(sort="zeros", top=2), "cd"),
    ],
)
def test_weights_are_chosen_and_ordered(
    found: Inspection, selection: Selection, chosen: str
) -> None:
    weights = select(found, selection).weights
    assert "".join(weight.name[0] for weight in weights) == chosen


def test_operators_of_the_runtime_follow_the_choice_of_operators(found: Inspection) -> None:
    (group,) = select(found, Selection(operators=("CONV_2D",), min_zeros=0.9)).runtime
    assert [operator.index for operator in group.operators] == [0, 2]
    (whole,) = select(found, Selection(min_zeros=0.9)).runtime
    assert len(whole.operators) == 4
    assert group.clusters == whole.clusters


def test_patterns_that_match_no_operator_are_told() -> None:
    inspection = inspect(Model.read(build(lambda g: g.conv2d(g.input((1, 4, 4, 4)), 4))))
    for pattern in ("FOO", "7", "#1", "CONV_3?"):
        assert unmatched(inspection, Selection(operators=(pattern, "conv_*"))) == (pattern,)
    assert unmatched(inspection, Selection(operators=("conv_2d", "0", "#0", "*"))) == ()
