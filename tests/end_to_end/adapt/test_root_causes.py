"""What stands in the way is told by its root cause, and what was given up as given up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.adapted import adapted
from tests.support.architectures import build
from tests.support.nets.small_nets import build as built
from tests.support.nets.small_nets import head
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.rewrite.adapt.adaptation import Adaptation

ROOTS = {
    "densenet": ("CONV_2D", "into no 3x3 window"),
    "starnet": ("CONV_2D", "3x3 convolution of 0 % zeros"),
}


@cache
def adaptation_of(name: str, min_gain: float = 1.03) -> Adaptation:
    result = adapt(Model.read(build(name, small=True)), AdaptOptions(min_gain=min_gain))
    assert result.adaptation is not None
    return result.adaptation


@pytest.mark.parametrize("name", ROOTS)
def test_a_net_that_stays_dense_names_an_operator_and_what_it_keeps_dense(name: str) -> None:
    kind, words = ROOTS[name]
    adaptation = adaptation_of(name)
    assert not adaptation.done
    first = adaptation.blocked[0]
    assert first.operator.startswith(f"{kind} #")
    assert words in first.reason
    assert first.share > 0.9
    assert f"{first.operator} {first.reason}" in adaptation.reason
    assert f"keeps {100 * first.share:.0f} % of the 1x1 work dense" in adaptation.reason


@pytest.mark.parametrize("name", ROOTS)
def test_causes_are_no_consequences_and_the_greatest_come_first(name: str) -> None:
    blocked = adaptation_of(name).blocked
    assert not any("from outside" in entry.reason for entry in blocked)
    # An addition or a 1x1 convolution has a sparse form: others are to blame.
    assert not any(entry.operator.startswith("ADD #") for entry in blocked)
    assert {entry.operator.split(" #")[0] for entry in blocked} > {ROOTS[name][0]}


@pytest.mark.parametrize("name", ["densenet", "starnet", "yolox", "resnet50", "unet"])
@pytest.mark.parametrize("min_gain", [1.03, 50.0])
def test_what_was_given_up_does_not_look_accepted(name: str, min_gain: float) -> None:
    adaptation = adaptation_of(name, min_gain)
    if adaptation.done:
        assert adaptation.attempt is None
        return
    assert adaptation.steps == ()
    for view in adaptation.outlook:
        assert (view.after, view.sparse_after) == (view.before, view.sparse_before)
    if adaptation.attempt is not None:
        assert adaptation.attempt.steps


@pytest.mark.parametrize("name", [*ROOTS, "yolox"])
def test_inspect_tells_first_what_keeps_most_dense(name: str) -> None:
    found = inspect(Model.read(build(name, small=True)), targets=[target("wasm")], gzip=False)
    (group,) = found.runtime
    shares = [obstacle.share for obstacle in group.obstacles]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9
    assert "CONV_2D" in group.obstacles[0].message


def grouped(g: GraphBuilder, x: Value) -> Value:
    filters = g.rng.standard_normal((32, 3, 3, 8)).astype(np.float32)
    return g.conv2d(x, 32, 3, filters=filters, name="grouped")


def test_an_addition_of_what_a_grouped_convolution_makes_blames_the_convolution() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3))), 32, 3, 2, "VALID", name="stem")
        x = g.conv2d(x, 32, zeros=0.8)
        for _ in range(4):
            y = g.conv2d(grouped(g, g.conv2d(x, 32, zeros=0.8)), 32, zeros=0.8)
            x = g.add(x, y)
        return head(g, x)

    adaptation = adapted(built(net)).rewrite.adaptation
    first = adaptation.blocked[0]
    assert first.operator.startswith("CONV_2D #")
    assert "3x3 convolution of 0 % zeros" in first.reason
    assert sum(entry.reason == first.reason for entry in adaptation.blocked) == 4
    assert not any(entry.operator.startswith("ADD #") for entry in adaptation.blocked)


@pytest.mark.parametrize("zeros", [0.5, 0.9])
def test_where_no_operator_is_to_blame_none_is(zeros: float) -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.pad_spatial(g.input((1, 64, 64, 3))), 32, 3, 2, "VALID", name="stem")
        x = g.conv2d(g.depthwise(g.conv2d(x, 64, zeros=zeros)), 64, zeros=zeros)
        return g.softmax(head(g, x))

    adaptation: Any = adapted(built(net)).rewrite.adaptation
    assert not adaptation.done
    assert adaptation.blocked == ()
    expected = Outcome.SPARSE if zeros > 2 / 3 else Outcome.DENSE
    assert {view.after for view in adaptation.outlook} == {expected}
