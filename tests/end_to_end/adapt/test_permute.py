"""Pass `permute`: blocks of output channels are broken or made as the prices of the targets say."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.adapted import adapted, stock
from tests.support.nets import small_nets
from tests.support.nets.small_nets import build, entry
from tests.support.nets.weights import block_mask
from tests.support.outputs import same_numbers
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.passes.permute import PERMUTE
from tflite_sparse.rewrite.optimize import optimize
from tflite_sparse.xnnpack.plan import plan

WIDTH = 64


def pairs_apart(rng, shape):
    """Where values are, each channel with zeros where another one far away has them."""
    mask = block_mask(rng, (shape[0] // 2, *shape[1:]), (1, 1, 1, 1), 0.8)
    return np.concatenate([mask, mask])


def blocks_of(width):
    return lambda rng, shape: block_mask(rng, shape, (width, 1, 1, 1), 0.8)


def net(masked, begin=entry, storage="dense"):
    """A stem, three separable layers with zeros where a function says, one added, and a head."""

    def lay(g):
        def layer(x):
            mask = masked(g.rng, (WIDTH, 1, 1, x.shape[3]))
            return g.conv2d(g.depthwise(x), WIDTH, mask=mask, storage=storage, activation="RELU6")

        x = layer(begin(g))
        x = g.add(x, layer(x))
        return small_nets.head(g, layer(x))

    return build(lay)


def kernels(result, target):
    stored = optimize(Model.read(result.after)).model
    return {op.kernel for op in plan(stored.main, target).operators if op.kernel}


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("begin", [entry, stock])
def test_blocks_are_broken_where_their_kernels_are_slow(width, begin):
    result = adapted(net(blocks_of(width), begin), targets=("wasm",))
    assert "permute" in result.passes
    assert kernels(result, "wasm") == {1}
    same_numbers(result, 64)
    kept = adapted(net(blocks_of(width), begin), targets=("wasm",), without=("permute",))
    assert "permute" not in kept.passes


def test_the_usual_targets_decide_together():
    # Two of three win several times what the third loses.
    result = adapted(net(blocks_of(2)), min_gain=1.03)
    assert set(result.passes) == {"permute"}
    step = result.rewrite.adaptation.steps[0]
    assert step.why.endswith("is slower on armv7 and wasm, at the price of arm64")
    by_target = {view.target: view for view in result.rewrite.adaptation.outlook}
    assert by_target["wasm"].after_ms < 0.6 * by_target["wasm"].before_ms


def test_channels_with_like_zeros_are_brought_together_on_arm64():
    result = adapted(net(pairs_apart), targets=("arm64",))
    assert set(result.passes) == {"permute"}
    assert "two at once on arm64" in result.rewrite.adaptation.steps[0].why
    model = Model.read(result.after)
    assert {filled_pairs(op) for op in model.operators() if reads_like_channels(op)} == {True}
    same_numbers(result, 64)
    assert not adapted(net(pairs_apart), targets=("wasm",)).done


def reads_like_channels(operator):
    return operator.name == "CONV_2D" and operator.inputs[1].shape[:3] == (WIDTH, 1, 1)


def filled_pairs(operator):
    mask = operator.inputs[1].data.reshape(WIDTH, -1) != 0
    return bool((mask[0::2] == mask[1::2]).all())


def test_blocks_of_four_become_pairs_on_arm64_and_pairs_stay():
    result = adapted(net(blocks_of(4)), targets=("arm64",))
    assert set(result.passes) == {"permute"}
    assert not adapted(net(blocks_of(2)), targets=("arm64",)).done


@pytest.mark.parametrize("storage", ["dense", "sparse"])
@pytest.mark.parametrize(
    "masked",
    [blocks_of(1), lambda _, shape: np.arange(shape[3]) % 5 == 0],
    ids=["single", "whole columns"],
)
def test_what_no_order_makes_faster_is_left_alone(masked, storage):
    data = net(masked, storage=storage)
    result = adapted(data, min_gain=1.03)
    assert not result.done
    assert result.after == Model.read(data).to_bytes()


def test_a_model_that_is_stored_sparse_stays_so():
    data = net(blocks_of(4), storage="sparse")
    result = optimize(Model.read(data))
    assert {step.name for step in result.adaptation.steps} == {PERMUTE.name}
    operators = plan(result.model.main, "wasm").operators
    assert {op.kernel for op in operators if op.kernel} == {1}
