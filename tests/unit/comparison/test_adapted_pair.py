"""A model and what adapting made of it are told from models that only resemble each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build, head, trunk
from tests.support.nets.weights import block_mask
from tflite_sparse.comparison.adapted_pair import rounded_to
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights
from tflite_sparse.report.text.diff import diff_lines
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.storage.store_values import store_values
from tflite_sparse.runtime.verification import Verification
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

SAME = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_same.tflite"


def test_what_optimize_makes_is_called_adapted_not_different() -> None:
    before = Model.read(SAME)
    result = optimize(before)
    assert result.adaptation is not None
    assert result.adaptation.done
    found = diff(before, Model.read(result.model.to_bytes()))
    assert not found.equal
    assert found.adapted
    first = "\n".join(line.plain for line in diff_lines(found, 80))
    assert "another graph of the same weights" in first.split("\n")[0]
    assert "verify" in first


def test_what_is_only_stored_otherwise_is_equal_and_not_adapted() -> None:
    model = Model.read(SAME)
    sparsify(model)
    found = diff(Model.read(SAME), Model.read(model.to_bytes()))
    assert (found.equal, found.adapted) == (True, False)


def in_blocks(g: GraphBuilder) -> Value:
    mask = block_mask(g.rng, (16, 1, 1, 16), (4, 1, 1, 1), 0.8)
    return head(g, g.conv2d(trunk(g), 16, mask=mask, storage="sparse"))


def test_channels_in_another_order_are_the_same_weights() -> None:
    before = Model.read(build(in_blocks))
    result = optimize(before, AdaptOptions(min_gain=0))
    assert {step.name for step in result.adaptation.steps} == {"permute"}
    found = diff(before, Model.read(result.model.to_bytes()))
    assert (found.equal, found.adapted, found.graph) == (False, True, ())
    first = "\n".join(line.plain for line in diff_lines(found, 80))
    assert "another order of the same weights" in first.split("\n")[0]
    # A bias of other values is another model.
    bias = next(op for op in before.operators() if op.name == "CONV_2D").inputs[2]
    bias.buffer.data = bias.data + 1
    assert not diff(before, result.model).adapted


def net(g: GraphBuilder) -> Value:
    return head(g, g.conv2d(trunk(g, storage="dense"), 16, zeros=0.9))


def other_end(g: GraphBuilder) -> Value:
    return g.softmax(g.fully_connected(g.mean(trunk(g, storage="dense")), 8))


@pytest.mark.parametrize(
    "after",
    [build(other_end), build(net, seed=5), build(lambda g: g.unary("ABS", net(g)), seed=5)],
    ids=["another output", "other weights", "other weights and operators"],
)
def test_models_of_other_weights_or_ends_are_different(after: bytes) -> None:
    assert not diff(Model.read(build(net)), Model.read(after)).adapted


@pytest.mark.parametrize("adapted", [False, True])
def test_the_outputs_decide_about_an_adapted_model_and_nothing_else_does(adapted: bool) -> None:
    from tflite_sparse.runtime.verification import WeightComparison

    other = WeightComparison("w", "CONV_2D", "b", None, None)
    found = Verification("a", "b", (other,), 0, ("x is gone",), 3, 0, False, (), adapted=adapted)
    # Nothing was run.
    assert not found.equal


@pytest.mark.parametrize("values", ["int8", "fp16"])
def test_weights_in_fewer_bits_are_the_same_rounded(values: str) -> None:
    before = Model.read(SAME)
    result = optimize(before, values=ValuesOptions(StoredValues(values)))
    found = diff(before, Model.read(result.model.to_bytes()))
    assert not found.equal
    assert found.rounded or found.adapted
    if values == "int8":
        assert found.rounded
        first = "\n".join(line.plain for line in diff_lines(found, 80))
        assert "the same weights, rounded" in first.split("\n")[0]


def test_other_weights_in_fewer_bits_are_other_weights() -> None:
    before = Model.read(SAME)
    other = Model.read(SAME)
    for weight in find_weights(other):
        tensor = weight.tensor
        tensor.set(np.random.default_rng(3).standard_normal(tensor.shape).astype(np.float32))
    result = optimize(other, values=ValuesOptions(StoredValues.INT8))
    assert not diff(before, Model.read(result.model.to_bytes())).rounded


@pytest.mark.parametrize("values", ["int8", "fp16"])
def test_the_numbers_are_those_that_are_unpacked(values: str) -> None:
    before, after = Model.read(SAME), Model.read(SAME)
    store_values(after, ValuesOptions(StoredValues(values)))
    assert rounded_to(before, after) is StoredValues(values)
    # Nothing was rounded where the first had these numbers too, or the second has not.
    assert rounded_to(after, after) is None
    assert rounded_to(after, before) is None


def test_a_model_that_computes_in_int8_has_no_rounded_weights_alone() -> None:
    wide = build(lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64))
    whole = build(
        lambda g: g.conv2d(g.input((1, 8, 8, 64), "INT8", scale=0.05), 64, storage="int8")
    )
    assert rounded_to(Model.read(wide), Model.read(whole)) is None
