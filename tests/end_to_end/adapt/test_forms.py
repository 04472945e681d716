"""Every spelling that the sparse layout does not take becomes one that it does, or is left."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.adapted import CHANNELS, adapted, head, stock, through
from tests.support.nets.small_nets import build
from tests.support.outputs import on_reference, outputs
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.outlook import prospects
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import MAINTAINED
from tflite_sparse.xnnpack.releases.targets import on_releases

THREE, SIXTH = np.array(3, np.float32), np.array(1 / 6, np.float32)


def varied(g, shape):
    return g.rng.standard_normal(shape).astype(np.float32)


def hard_swish(g, x, three=THREE):
    return g.mul(x, g.mul(g.add(x, three, "RELU6"), SIXTH))


def hard_swish_late(g, x):
    return g.mul(g.mul(x, g.add(x, THREE, "RELU6")), SIXTH)


def excited(g, x, gate):
    return g.mul(x, g.logistic(gate))


def reshaped(g, x):
    gate = g.reshape(g.mean(x), (1, 1, 1, CHANNELS))
    return excited(
        g, x, g.conv2d(g.conv2d(gate, 8, activation="RELU", zeros=0.9), CHANNELS, zeros=0.9)
    )


def flat(g, x, storage="dense"):
    gate = g.fully_connected(g.mean(x), 8, "RELU", zeros=0.9, storage=storage)
    gate = g.fully_connected(gate, CHANNELS, zeros=0.9, storage=storage)
    return g.mul(x, g.reshape(g.logistic(gate), (1, 1, 1, CHANNELS)))


def flat_swish(g, x):
    squeezed = g.fully_connected(g.mean(x), 8, zeros=0.9)
    gate = g.fully_connected(g.mul(squeezed, g.logistic(squeezed)), CHANNELS, zeros=0.9)
    return g.mul(x, g.reshape(g.logistic(gate), (1, 1, 1, CHANNELS)))


def pooled_gate(g, x):
    gate = g.pool(x, "AVERAGE_POOL_2D", kernel=x.shape[1:3], stride=1)
    return excited(g, x, g.conv2d(gate, CHANNELS, zeros=0.9))


def grown(g, x):
    wide = g.pad(x, ((0, 0), (0, 0), (0, 0), (0, 4)))
    return g.add(wide, g.conv2d(x, CHANNELS + 4, zeros=0.9))


def halves(g, x):
    one, other = g.split(x, 2)
    return g.add(g.conv2d(one, CHANNELS, zeros=0.9), g.conv2d(other, CHANNELS, zeros=0.9))


def shuffled(g, x, order=(0, 1, 2, 4, 3)):
    x = g.conv2d(x, CHANNELS, zeros=0.9)
    parted = g.reshape(x, (*x.shape[:3], 4, CHANNELS // 4))
    return g.reshape(g.transpose(parted, order), x.shape)


def shuffled_first(g, x):
    x = g.transpose(g.conv2d(x, CHANNELS, zeros=0.9), (0, 3, 1, 2))
    batch, channels, *size = x.shape
    parted = g.transpose(g.reshape(x, (batch, 2, channels // 2, *size)), (0, 2, 1, 3, 4))
    return g.transpose(g.reshape(parted, (batch, channels, *size)), (0, 2, 3, 1))


def grown_twice(g, x):
    one, other = (g.conv2d(x, 8, zeros=0.9) for _ in range(2))
    joined = g.unary("TANH", g.concat([x, one]))
    return g.concat([g.unary("TANH", g.concat([x, one, other])), joined])


def mean_of_first(g, x):
    means = g.mean(g.transpose(x, (0, 3, 1, 2)), (2, 3))
    return excited(g, x, g.conv2d(g.reshape(means, (1, 1, 1, CHANNELS)), CHANNELS, zeros=0.9))


def transposed(kernel, padding="SAME", **options):
    return lambda g, x: g.transpose_conv(x, 24, kernel, padding=padding, zeros=0.9, **options)


# The net in between, what must be gone, what must be there, steps of rounding.
SPELLED = {
    "hard swish": (hard_swish, {"MUL", "ADD"}, {"HARD_SWISH"}, 4),
    "hard swish, divided late": (hard_swish_late, {"MUL", "ADD"}, {"HARD_SWISH"}, 4),
    "gate through RESHAPE": (reshaped, {"RESHAPE"}, {"MEAN"}, 8),
    "gate through FULLY_CONNECTED": (flat, {"RESHAPE"}, {"CONV_2D"}, 8),
    "gate with SWISH in it": (flat_swish, {"RESHAPE"}, {"CONV_2D"}, 8),
    "gate through pooling": (pooled_gate, {"AVERAGE_POOL_2D"}, {"MEAN"}, 8),
    "constant second": (lambda g, x: g.add(x, varied(g, (CHANNELS,))), set(), {"ADD"}, 0),
    "constant subtracted": (lambda g, x: g.sub(x, varied(g, (CHANNELS,))), {"SUB"}, {"ADD"}, 0),
    "subtracted from one": (lambda g, x: g.sub(varied(g, ()), x), {"SUB"}, {"MUL", "ADD"}, 0),
    "divided": (lambda g, x: g.div(x, np.array(7, np.float32)), {"DIV"}, {"MUL"}, 4),
    "maps subtracted": (lambda g, x: g.sub(x, g.unary("TANH", x)), {"SUB"}, {"ADD"}, 0),
    "added to itself": (lambda g, x: g.add(x, x), {"ADD"}, {"MUL"}, 0),
    "slopes": (lambda g, x: g.prelu(x, varied(g, (1, 1, CHANNELS))), {"PRELU"}, {"RELU", "MUL"}, 4),
    "steep slopes": (lambda g, x: g.prelu(x, 100 * varied(g, (1, 1, CHANNELS))),
                     {"PRELU"}, {"NEG"}, 0),
    "one slope": (lambda g, x: g.prelu(x, np.full((1, 1, CHANNELS), 0.3, np.float32)),
                  {"PRELU"}, {"LEAKY_RELU"}, 0),
    "joined for 1x1": (lambda g, x: g.concat([x, g.unary("TANH", x)]),
                       {"CONCATENATION"}, {"ADD"}, 16),
    "joined for 3x3": (lambda g, x: g.depthwise(g.concat([x, g.unary("TANH", x)])),
                       {"CONCATENATION"}, {"ADD"}, 0),
    "channels added": (grown, {"PAD channels"}, {"ADD"}, 0),
    "largest of four": (lambda g, x: g.pool(x), {"MAX_POOL_2D"}, {"DEPTHWISE_CONV_2D"}, 8),
    "average of four": (lambda g, x: g.pool(x, "AVERAGE_POOL_2D"), {"AVERAGE_POOL_2D"},
                        {"DEPTHWISE_CONV_2D"}, 8),
    "average at the border": (lambda g, x: g.pool(x, "AVERAGE_POOL_2D", 3, 1, "SAME"),
                              {"AVERAGE_POOL_2D"}, {"DEPTHWISE_CONV_2D", "MUL"}, 8),
    "average at one border": (lambda g, x: g.pool(x, "AVERAGE_POOL_2D", 3, 2, "SAME", "RELU6"),
                              {"AVERAGE_POOL_2D"}, {"DEPTHWISE_CONV_2D", "MUL"}, 8),
    "a group for each channel": (lambda g, x: g.conv2d(x, CHANNELS, 3, groups=CHANNELS,
                                                       activation="RELU"),
                                 set(), {"DEPTHWISE_CONV_2D"}, 4),
    "groups of 1x1": (lambda g, x: g.conv2d(x, CHANNELS, groups=4, zeros=0.9), set(), {"CONV_2D"},
                      8),
    "FULLY_CONNECTED on a map": (
        lambda g, x: g.fully_connected(g.sub(x, THREE), CHANNELS, zeros=0.9, keep_num_dims=True),
        {"SUB"}, {"CONV_2D"}, 16),
    "clamped to 0 and 1": (lambda g, x: g.unary("RELU_0_TO_1", x), {"RELU_0_TO_1"},
                           {"RELU_N1_TO_1"}, 0),
    "split for 1x1": (halves, {"SPLIT", "STRIDED_SLICE"}, {"ADD"}, 16),
    "split for 3x3": (lambda g, x: g.concat([g.depthwise(part) for part in g.split(x, 2)]),
                      {"SPLIT", "STRIDED_SLICE"}, {"ADD"}, 16),
    "sliced": (lambda g, x: g.unary("TANH", g.slice(x, (0, 0, 0, 5), (1, *x.shape[1:3], 9))),
               {"SLICE"}, set(), 0),
    "shuffled": (shuffled, {"RESHAPE", "TRANSPOSE"}, set(), 8),
    "shuffled, channels first": (shuffled_first, {"RESHAPE", "TRANSPOSE"}, set(), 8),
    "mean, channels first": (mean_of_first, {"TRANSPOSE", "RESHAPE"}, {"MEAN"}, 8),
    "joined to what is joined": (grown_twice, {"CONCATENATION"}, {"ADD"}, 16),
    "nearest": (lambda g, x: g.resize_nearest(x, (2 * x.shape[1], 2 * x.shape[2])),
                {"RESIZE_NEAREST_NEIGHBOR"}, {"RESIZE_BILINEAR"}, 0),
    "1x1 with stride": (lambda g, x: g.conv2d(x, CHANNELS, 1, 2, zeros=0.9), set(),
                        {"DEPTHWISE_CONV_2D"}, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLED)
def test_it_is_spelled_as_the_sparse_layout_takes_it(name):
    middle, gone, there, steps = SPELLED[name]
    result = adapted(through(middle))
    assert result.done, result.rewrite.adaptation.reason
    (view,) = (v for v in result.rewrite.adaptation.outlook if v.target == "arm64")
    assert view.after == "sparse"
    assert result.blocked == {}
    everywhere = on_releases(["arm64"], [release.slug for release in MAINTAINED])
    outcomes = {v.outcome for v in prospects(Model.read(result.after), everywhere).values()}
    assert outcomes == {Outcome.SPARSE}, "a spelling that an older release takes otherwise"
    assert not gone & set(result.kinds)
    assert there <= set(result.kinds)
    ((before, after),) = on_reference(result)
    # Every step of rounding is one of the largest value, through two further layers.
    assert np.abs(after - before).max() <= steps * 2**-23 * np.abs(before).max() * 4


def test_what_is_spelled_so_runs_sparse_and_right():
    def all_of_them(g, x):
        x = g.pool(x, "AVERAGE_POOL_2D", 3, 1, "SAME")
        x = g.conv2d(x, CHANNELS, 3, groups=CHANNELS)
        x = g.pool(g.conv2d(x, CHANNELS, groups=4, zeros=0.9), "AVERAGE_POOL_2D", (3, 5), 1, "SAME")
        x = g.fully_connected(x, CHANNELS, zeros=0.9, keep_num_dims=True)
        x = halves(g, shuffled(g, g.unary("RELU_0_TO_1", x)))
        return g.concat([g.depthwise(part) for part in g.split(x, 4)])

    # A reversed map, on which the factors of the border are reversed too.
    for size in ((32, 32), (30, 33)):
        data = build(lambda g, size=size: head(g, all_of_them(g, stock(g, size))))
        result = adapted(data)
        assert result.blocked == {}
        stored = sparsify(Model.read(result.after)).model
        verdict = plan(stored.main, "arm64").verdict
        assert verdict.outcome is Outcome.SPARSE
        assert verdict.sparse_pointwise == verdict.pointwise > 10
        (before,), (after,) = outputs(data), outputs(stored.to_bytes(), emulated=True)
        np.testing.assert_allclose(after[0], before[0], rtol=0, atol=1e-5 * np.abs(before[0]).max())


@pytest.mark.parametrize("groups", [2, 4, 16])
@pytest.mark.parametrize(
    "part",
    [
        lambda g, x: g.slice(x, (0, 0, 0, 8), (1, *x.shape[1:3], 16)),
        lambda g, x: g.concat([x, g.conv2d(x, CHANNELS, zeros=0.9)]),
    ],
    ids=["sliced", "joined"],
)
def test_convolutions_with_groups_read_what_is_sliced_and_joined(part, groups):
    result = adapted(through(lambda g, x: g.conv2d(part(g, x), 32, zeros=0.9, groups=groups)))
    assert not {"SLICE", "CONCATENATION"} & set(result.kinds)
    assert {v.after for v in result.rewrite.adaptation.outlook} == {Outcome.SPARSE}
    ((before, after),) = on_reference(result)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


def test_a_filter_that_is_shared_loses_its_groups_by_the_channels_of_each_map():
    def middle(g, x):
        filters = g.constant(varied(g, (CHANNELS, 1, 1, 8)), zeros=0.9)
        four = g.conv2d(x, CHANNELS, filters=filters, groups=4)
        two = g.conv2d(g.conv2d(x, 16, zeros=0.9), CHANNELS, filters=filters, groups=2)
        return g.add(four, two)

    result = adapted(through(middle))
    assert {v.after for v in result.rewrite.adaptation.outlook} == {Outcome.SPARSE}
    ((before, after),) = on_reference(result)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


def test_fully_connected_without_a_bias_gets_one_as_a_convolution_outside_of_regions_too():
    def middle(g, x):
        x = g.conv2d(g.depthwise(g.conv2d(x, CHANNELS, zeros=0.9), 5), CHANNELS, zeros=0.9)
        dense = g.fully_connected(g.softmax(x), CHANNELS, keep_num_dims=True, bias=False)
        return g.softmax(dense)

    result = adapted(through(middle))
    assert result.done
    convolutions = [op for op in Model.read(result.after).operators() if op.name == "CONV_2D"]
    assert all(len(op.inputs) == 3 and None not in op.inputs for op in convolutions)
    ((before, after),) = on_reference(result)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize(("storage", "left"), [("int8-values", 1), ("int8", 3)])
def test_int8_that_becomes_floats_is_moved_and_that_of_hybrid_kernels_stays(storage, left):
    result = adapted(through(lambda g, x: flat(g, x, storage)))
    assert result.done
    assert result.kinds.count("FULLY_CONNECTED") == left
    ((before, after),) = on_reference(result)
    np.testing.assert_array_equal(after, before)


def test_fully_connected_on_a_map_is_a_convolution_and_that_of_the_head_stays():
    middle = SPELLED["FULLY_CONNECTED on a map"][0]
    result = adapted(through(middle))
    assert result.kinds.count("FULLY_CONNECTED") == 1
    assert result.kinds[-1] == "FULLY_CONNECTED"


# Near misses: what is in the way, with what is said of it.
LEFT = {
    "not quite hard swish": (
        lambda g, x: g.softmax(hard_swish(g, x, np.array(2.9, np.float32))),
        "SOFTMAX", "has no sparse form",
    ),
    "constant of a whole map": (
        lambda g, x: g.add(x, varied(g, (1, *x.shape[1:]))), "ADD", "several dimensions",
    ),
    "slopes of a map": (
        lambda g, x: g.prelu(x, varied(g, x.shape[1:])), "PRELU", "varies over the map",
    ),
    "joined along the height": (lambda g, x: g.concat([x, x], 1), "CONCATENATION", "channels"),
    "largest of nine": (
        lambda g, x: g.pool(x, kernel=3), "MAX_POOL_2D", "but for 2x2 with stride 2",
    ),
    "average of 7x7": (
        lambda g, x: g.pool(x, "AVERAGE_POOL_2D", 7, 1, "SAME"), "AVERAGE_POOL_2D",
        "no 3x3 or 5x5",
    ),
    "every other channel": (
        lambda g, x: g.strided_slice(x, (0, 0, 0, 0), x.shape, (1, 1, 1, 2)), "STRIDED_SLICE",
        "more than a range of channels",
    ),
    "rows cut off": (
        lambda g, x: g.slice(x, (0, 1, 0, 0), (1, x.shape[1] - 1, *x.shape[2:])), "SLICE",
        "more than a range of channels",
    ),
    "split along the width": (
        lambda g, x: g.concat(g.split(x, 2, 2), 2), "SPLIT", "has no sparse form",
    ),
    "shuffled pixels": (
        lambda g, x: shuffled(g, x, (0, 2, 1, 3, 4)), "RESHAPE", "has no sparse form",
    ),
    "mean of rows": (
        lambda g, x: g.add(x, g.mean(x, (1,), keep_dims=True)), "MEAN", "height and width",
    ),
    "two channels each": (
        lambda g, x: g.depthwise(x, multiplier=2), "DEPTHWISE_CONV_2D", "multiplier",
    ),
    "nearest, three times": (
        lambda g, x: g.resize_nearest(x, (3 * x.shape[1], 3 * x.shape[2])),
        "RESIZE_NEAREST_NEIGHBOR", "twice the size",
    ),
    "transposed without stride": (
        lambda g, x: g.transpose_conv(x, 24, 3, 1, zeros=0.9), "TRANSPOSE_CONV", "stride 1x1",
    ),
    "transposed with one row more": (transposed(3, "VALID"), "TRANSPOSE_CONV", "twice the size"),
    "transposed without zeros": (
        lambda g, x: g.transpose_conv(x, 4, 9), "TRANSPOSE_CONV", "too few zeros",
    ),
    "7x7": (lambda g, x: g.depthwise(x, 7), "DEPTHWISE_CONV_2D", "no 3x3 or 5x5"),
    "unpadded": (
        lambda g, x: g.depthwise(x, padding="VALID"), "DEPTHWISE_CONV_2D", "no 3x3 or 5x5",
    ),
    "3x3 in the middle": (
        lambda g, x: g.conv2d(x, CHANNELS, 3), "CONV_2D", "0 % zeros, too few",
    ),
    "divided by a map": (lambda g, x: g.div(x, g.unary("EXP", x)), "DIV", "divides by a map"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_has_no_sparse_form_ends_the_region_with_the_reason(name):
    middle, kind, reason = LEFT[name]
    result = adapted(through(middle))
    reasons = [why for op, why in result.blocked.items() if op.startswith(kind)]
    assert any(reason in why for why in reasons), result.blocked
    ((before, after),) = on_reference(result)
    assert np.allclose(before, after, rtol=1e-5, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize(
    ("middle", "reason"),
    [
        (lambda g, x: g.div(x, np.zeros(CHANNELS, np.float32)), "divides by zero"),
        (lambda g, x: g.concat([x, x], activation="RELU"), "states an activation"),
    ],
    ids=["divided by zero", "joined with an activation"],
)
def test_what_the_runtime_does_not_compute_ends_the_region(middle, reason):
    result = adapted(through(middle))
    assert any(reason in why for why in result.blocked.values()), result.blocked


def test_operators_that_are_right_already_are_not_touched():
    def middle(g, x):
        y = g.conv2d(g.depthwise(x, 5, activation="RELU6"), CHANNELS, zeros=0.9)
        return g.unary("HARD_SWISH", g.add(x, y))

    result = adapted(through(middle))
    assert not result.done
    assert "eligible as it is" in result.rewrite.adaptation.reason
    assert result.after == Model.read(result.before).to_bytes()
