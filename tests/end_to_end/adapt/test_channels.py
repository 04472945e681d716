"""Channels in another order: nobody outside the model can tell; where one could, they stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.litert import invoke
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.random_nets import random_net
from tests.support.nets.random_tangles import random_tangle
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.channels.classes import channel_classes
from tflite_sparse.rewrite.storage.densify import densify

CHANNELS = 6
SIZE = 5
# Sums in another order, layer after layer: of the largest value of an output.
LARGEST = 1e-4


def reordered(data: bytes, seed: int = 0) -> tuple[bytes, int]:
    """A model with every class of channels in an order by chance, and how many there are."""
    rng = np.random.default_rng(seed)
    model = densify(Model.read(data).copy()).model
    classes = channel_classes(model)
    for channels in classes:
        order = rng.permutation(channels.channels)
        for follower in channels.followers:
            follower.reorder(order)
    return model.to_bytes(), len(classes)


def same(before: bytes, after: bytes) -> None:
    """Holds that two models compute the same on LiteRT's reference kernels."""
    right, found = invoke(before, xnnpack=False), invoke(after, xnnpack=False)
    assert right.keys() == found.keys()
    for name, value in right.items():
        bound = LARGEST * max(float(np.abs(value).max()), 1e-3)
        np.testing.assert_allclose(found[name], value, rtol=0, atol=bound)


def per_channel(g, shape=(1, 1, 1, CHANNELS)):
    return (g.rng.standard_normal(shape) + 0.5).astype(np.float32)


def conv(g, x, **options):
    return g.conv2d(x, CHANNELS, **options)


def gate(g, x):
    y = g.conv2d(g.mean(x, keep_dims=True), 4, activation="RELU")
    return g.mul(x, g.logistic(conv(g, y)))


def dense_gate(g, x):
    y = g.fully_connected(g.fully_connected(g.mean(x), 4, "RELU"), CHANNELS)
    return g.mul(x, g.reshape(g.logistic(y), (1, 1, 1, CHANNELS)))


def shared(g, x):
    filters = g.weight(per_channel(g, (CHANNELS, 1, 1, CHANNELS)))
    return conv(g, g.unary("RELU", conv(g, x, filters=filters)), filters=filters)


BLOCKS = {
    "conv": conv,
    "conv 3x3": lambda g, x: conv(g, x, kernel=3, activation="RELU6"),
    "conv fp16": lambda g, x: conv(g, x, storage="fp16", bias_storage="fp16"),
    "conv int8": lambda g, x: conv(g, x, storage="int8-values"),
    "depthwise": lambda g, x: g.depthwise(x),
    "depthwise fp16": lambda g, x: g.depthwise(x, storage="fp16"),
    "unary": lambda g, x: g.unary("HARD_SWISH", x),
    "prelu": lambda g, x: g.prelu(x),
    "constant": lambda g, x: g.add(per_channel(g), x),
    "row": lambda g, x: g.mul(x, per_channel(g, (CHANNELS,))),
    "map": lambda g, x: g.add(x, per_channel(g, (1, *x.shape[1:]))),
    "scalar": lambda g, x: g.add(x, np.float32(0.5)),
    "residual": lambda g, x: g.add(x, conv(g, x)),
    "product": lambda g, x: g.mul(x, g.depthwise(x)),
    "gate": gate,
    "dense gate": dense_gate,
    "pool": lambda g, x: g.average_pool(x, kernel=2, stride=1, padding="SAME"),
    "largest": lambda g, x: g.max_pool(x, kernel=2, stride=1, padding="SAME"),
    "pad": lambda g, x: g.conv2d(g.pad_spatial(x), CHANNELS, 3, padding="VALID"),
    "resize": lambda g, x: g.resize_bilinear(x, (SIZE, SIZE)),
    "stacked": lambda g, x: g.average_pool(g.concat([x, x], axis=1), kernel=(2, 1), stride=(2, 1)),
    "joined": lambda g, x: conv(g, g.concat([x, conv(g, x)])),
    "turned": lambda g, x: g.transpose(x, (0, 2, 1, 3)),
    "shared": shared,
    "transposed": lambda g, x: g.transpose_conv(x, CHANNELS, kernel=1, stride=1),
}
HEADS = {
    "mean": lambda g, x: g.fully_connected(g.mean(x), 4),
    "flat": lambda g, x: g.fully_connected(x, 4),
    "map": conv,
    "given": lambda _, x: x,
}


def net(blocks: list[str], head: str, seed: int) -> bytes:
    """A model of some blocks and a head."""

    def lay(g):
        x = conv(g, g.input((1, SIZE, SIZE, 3)))
        for block in blocks:
            x = BLOCKS[block](g, x)
        return HEADS[head](g, x)

    return build(lay, seed=seed)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_computes_the_same_in_another_order(block):
    data = net([block, "conv"], "flat", 1)
    after, classes = reordered(data)
    assert classes
    assert after != data
    same(data, after)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(BLOCKS)), min_size=1, max_size=6),
    st.sampled_from(sorted(HEADS)),
    st.integers(0, 9),
)
def test_chains_of_blocks_compute_the_same(blocks, head, seed):
    data = net(blocks, head, seed)
    same(data, reordered(data, seed)[0])


@pytest.mark.parametrize("kind", [random_net, random_tangle])
def test_random_nets_compute_the_same(kind):
    changed = 0
    for seed in range(12):
        data, _ = kind(seed)
        after, classes = reordered(data, seed)
        changed += bool(classes)
        same(densify(Model.read(data)).model.to_bytes(), after)
    assert changed > 6


def movable(lay) -> bool:
    """Whether the channels of the first convolution of a net may be put in another order."""
    model = Model.read(build(lay))
    first = next(op for op in model.operators() if op.name == "CONV_2D")
    return any(
        use.operator is first and use.operand == 1 and not follower.axis
        for channels in channel_classes(model)
        for follower in channels.followers
        for use in follower.uses
    )


def between(middle, end=lambda g, x: g.fully_connected(g.mean(x), 4)):
    """A net with something behind its first convolution."""

    def lay(g):
        return end(g, middle(g, conv(g, g.input((1, 4, 4, 3)), name="first")))

    return lay


def in_constant(g, x, *, twice):
    """A constant that is added to the channels, and that something else may read too."""
    constant = g.constant(per_channel(g, (CHANNELS,)))
    x = g.mul(x, constant)
    if twice:
        g.output(g.unary("ABS", constant))
    return x


def in_buffer(g, x, shape):
    """A constant along the channels, and another view of the same bytes."""
    constant = g.constant(per_channel(g, (CHANNELS,)))
    view = g.constant(per_channel(g, shape), buffer=g.table.tensors[constant.index].buffer)
    g.output(g.fully_connected(g.mean(g.mul(x, view)), 4))
    return g.mul(x, constant)


NEAR_MISSES = {
    "an output": (lambda _, x: x, lambda g, x: (g.output(x), x)[1]),
    "groups": (
        lambda g, x: g.conv2d(x, CHANNELS, 3),
        lambda g, x: g.conv2d(x, CHANNELS, 3, groups=2),
    ),
    "multiplier": (
        lambda g, x: g.depthwise(x),
        lambda g, x: g.depthwise(x, multiplier=2),
    ),
    "softmax": (lambda g, x: g.logistic(x), lambda g, x: g.softmax(x)),
    "concatenation": (
        lambda g, x: g.concat([x, x], axis=1),
        lambda g, x: g.concat([x, x], axis=3),
    ),
    "padding": (
        lambda g, x: g.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
        lambda g, x: g.pad(x, [[0, 0], [1, 1], [1, 1], [0, 1]]),
    ),
    "axes": (
        lambda g, x: g.mul(x, g.mean(x, (1, 2), keep_dims=True)),
        lambda g, x: g.mul(x, g.mean(x, (1, 2, 3), keep_dims=True)),
    ),
    "reshape": (
        lambda g, x: g.reshape(x, (1, 2, 8, CHANNELS)),
        lambda g, x: g.reshape(x, (1, 4, 8, CHANNELS // 2)),
    ),
    "layout": (
        lambda g, x: g.unary("ABS", x),
        lambda g, x: g.depth_to_space(g.concat([x, x]), 2),
    ),
    "slice": (
        lambda g, x: g.unary("ABS", x),
        lambda g, x: g.slice(x, (0, 0, 0, 0), (1, 4, 4, 3)),
    ),
    "a constant that is read otherwise": (
        lambda g, x: in_constant(g, x, twice=False),
        lambda g, x: in_constant(g, x, twice=True),
    ),
    "a buffer that is seen in another shape": (
        lambda g, x: in_buffer(g, x, (CHANNELS,)),
        lambda g, x: in_buffer(g, x, (1, CHANNELS)),
    ),
    "a graph input beside it": (
        lambda g, x: g.add(x, conv(g, g.input((1, 4, 4, CHANNELS), name="other"))),
        lambda g, x: g.add(x, g.input((1, 4, 4, CHANNELS), name="other")),
    ),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_channels_whose_order_shows_keep_it_and_their_near_misses_do_not(name):
    fits, shows = NEAR_MISSES[name]
    assert movable(between(fits))
    assert not movable(between(shows))


def test_data_that_metadata_refer_to_or_that_are_stored_sparse_keep_their_order():
    def first_filter(data):
        model = Model.read(data)
        operator = next(op for op in model.operators() if op.name == "CONV_2D")
        return model, operator.inputs[1]

    data = build(between(conv))
    model, constant = first_filter(data)
    classes = len(channel_classes(model))
    constant.table["is_variable"] = True
    assert len(channel_classes(model)) < classes

    sparse = build(between(lambda g, x: conv(g, x, storage="sparse", zeros=0.8)))
    assert not movable(between(lambda g, x: conv(g, x, storage="sparse", zeros=0.8)))
    assert len(channel_classes(densify(Model.read(sparse)).model)) == classes


def test_a_width_that_is_left_open_or_a_second_subgraph_that_hands_on_a_value_keeps_it():
    def opened(g):
        x = conv(g, g.input((1, 4, 4, 3)))
        g.table.tensors[x.index].shapeSignature = np.array([1, 4, 4, -1], np.int32)
        return g.fully_connected(g.mean(x), 4)

    assert not movable(opened)

    builder = ModelBuilder()
    for _ in range(2):
        graph = builder.graph()
        graph.output(conv(graph, conv(graph, graph.input((1, 4, 4, 3)))))
    # Each subgraph has one class of its own, between its two convolutions.
    assert len(channel_classes(Model.read(builder.build()))) == 2


def test_scales_follow_their_channels():
    data = net(["conv int8", "depthwise"], "mean", 3)
    before = Model.read(data)
    after = Model.read(reordered(data, 5)[0])
    moved = 0
    for old, new in zip(before.main.tensors, after.main.tensors, strict=True):
        assert (old.name, old.type, old.shape) == (new.name, new.type, new.shape)
        if old.type != "INT8":
            continue
        scales = old.quantization["scale"], new.quantization["scale"]
        assert sorted(scales[0]) == sorted(scales[1])
        moved += list(scales[0]) != list(scales[1])
    assert moved
