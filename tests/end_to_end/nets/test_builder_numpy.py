"""What the builder makes is what was asked for: numpy says so, and so does LiteRT's object API."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.lib.stride_tricks import sliding_window_view

from tests.support.litert import LiteRTError, invoke, run
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tests.support.nets.weights import block_mask
from tests.support.peers.object_api import load

RNG = np.random.default_rng(11)
IMAGE = RNG.uniform(-1, 1, (1, 7, 9, 4)).astype(np.float32)


def computed(layer, x=IMAGE):
    data = build(lambda g: layer(g, g.input(x.shape)), seed=5)
    (output,) = invoke(data, {"input": x}, xnnpack=False).values()
    return output


def convolved(x, filters, stride=1):
    """A convolution without padding: [outputs, height, width, inputs] over [1, h, w, inputs]."""
    views = sliding_window_view(x[0], filters.shape[1:3], axis=(0, 1))[::stride, ::stride]
    return np.einsum("yxcij,oijc->yxo", views, filters)[None]


def array(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_after_a_pad(stride):
    filters, bias = array(5, 3, 3, 4), array(5)

    def layer(g, x):
        x = g.pad_spatial(x, (1, 2))
        given = {"kernel": 3, "stride": stride, "padding": "VALID", "filters": filters}
        return g.conv2d(x, 5, **given, bias=bias, activation="RELU6")

    padded = np.pad(IMAGE, ((0, 0), (1, 2), (1, 2), (0, 0)))
    wanted = (convolved(padded, filters, stride) + bias).clip(0, 6)
    assert np.allclose(computed(layer), wanted, atol=1e-4)


def test_a_grouped_convolution():
    filters, bias = array(6, 1, 1, 2), array(6)
    found = computed(lambda g, x: g.conv2d(x, 6, filters=filters, groups=2, bias=bias))
    halves = [
        convolved(IMAGE[..., :2], filters[:3]),
        convolved(IMAGE[..., 2:], filters[3:]),
    ]
    assert np.allclose(found, np.concatenate(halves, axis=3) + bias, atol=1e-4)


def test_a_depthwise_convolution_with_a_multiplier():
    filters, bias = array(1, 3, 3, 8), array(8)
    given = {"kernel": 3, "padding": "VALID", "multiplier": 2, "filters": filters, "bias": bias}
    found = computed(lambda g, x: g.depthwise(x, **given))
    views = sliding_window_view(IMAGE[0], (3, 3), axis=(0, 1))
    # Output 2c + m is made of input c.
    wanted = np.einsum("yxcij,ijcm->yxcm", views, filters[0].reshape(3, 3, 4, 2))
    assert np.allclose(found, wanted.reshape(1, 5, 7, 8) + bias, atol=1e-4)


def test_a_transposed_convolution_is_the_convolution_turned_round():
    filters, bias = array(3, 2, 2, 4), array(3)
    given = {"kernel": 2, "stride": 2, "padding": "VALID", "filters": filters, "bias": bias}
    found = computed(lambda g, x: g.transpose_conv(x, 3, **given))
    # Each pixel becomes a square of its own, as the stride is the size of the kernel.
    wanted = np.einsum("nyxc,oijc->nyixjo", IMAGE, filters).reshape(1, 14, 18, 3)
    assert np.allclose(found, wanted + bias, atol=1e-4)


def test_a_mean_before_a_fully_connected_layer_and_a_softmax():
    filters, bias = array(6, 4), array(6)
    found = computed(
        lambda g, x: g.softmax(g.fully_connected(g.mean(x), 6, filters=filters, bias=bias))
    )
    wanted = np.exp(IMAGE.mean(axis=(1, 2)) @ filters.T + bias)
    assert np.allclose(found, wanted / wanted.sum(), atol=1e-5)


def test_constants_stand_on_either_side():
    assert np.allclose(computed(lambda g, x: g.sub(x, np.full(4, 2.0))), IMAGE - 2)
    assert np.allclose(computed(lambda g, x: g.sub(np.full(4, 2.0), x)), 2 - IMAGE)


def test_a_concatenation_counts_its_axis_from_either_end():
    found = computed(lambda g, x: g.concat([x, g.unary("NEG", x)], axis=-1))
    assert np.array_equal(found, np.concatenate([IMAGE, -IMAGE], axis=-1))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize(
    ("shape", "zeros"),
    [((7, 3, 3, 5), 0.8), ((40, 1, 1, 300), 0.5), ((3, 4), 1.0), ((300, 400), 0.3), ((9,), 0.4)],
)
def test_litert_densifies_what_is_stored_sparse(dtype, shape, zeros):
    given = RNG.integers(1, 100, shape).astype(dtype)
    model = ModelBuilder()
    graph = model.graph()
    graph.output(graph.constant(given, storage="sparse", zeros=zeros))
    data = model.build()
    (found,) = invoke(data, xnnpack=False).values()
    assert np.count_nonzero(found == 0) == round(given.size * zeros)
    assert np.array_equal(found, np.where(found == 0, 0, given))
    level = load(data).subgraphs[0].tensors[0].sparsity.dimMetadata[-1]
    for vector in (level.arraySegments.values, level.arrayIndices.values):
        # The smallest of the three types of the format that holds the largest value.
        largest = vector.max(initial=0)
        wanted = np.uint8 if largest < 256 else np.uint16 if largest < 65536 else np.int32
        assert vector.dtype == wanted


@pytest.mark.parametrize("block", [(4, 1, 1, 1), (2, 1, 1, 3)])
def test_zeros_come_in_blocks(block):
    shape = (10, 1, 1, 7)
    mask = block_mask(np.random.default_rng(0), shape, block, 0.5)
    assert mask.shape == shape
    corners = mask[:: block[0], :, :, :: block[3]]
    assert np.count_nonzero(~corners) == round(corners.size / 2)
    spread = corners.repeat(block[0], 0).repeat(block[3], 3)
    assert np.array_equal(mask, spread[:10, :, :, :7])


def test_layers_share_filters_and_constants_share_buffers():
    model = ModelBuilder()
    graph = model.graph()
    filters = graph.constant(array(4, 1, 1, 4), "shared", storage="sparse")
    x = graph.input((1, 2, 2, 4))
    for _ in range(2):
        x = graph.conv2d(x, 4, filters=filters)
    numbers = array(4)
    first = graph.constant(numbers)
    buffer = graph.table.tensors[first.index].buffer
    second = graph.constant(numbers, buffer=buffer)
    graph.output(graph.add(graph.add(x, first), second))
    made = load(model.build())
    names = [bytes(tensor.name) for tensor in made.subgraphs[0].tensors]
    assert names.count(b"shared") == names.count(b"shared_dense") == 1
    assert [tensor.buffer for tensor in made.subgraphs[0].tensors].count(buffer) == 2
    assert invoke(model.build())


def test_custom_options_lie_outside_where_data_does():
    model = ModelBuilder()
    graph = model.graph()
    x = graph.input((1, 4))
    (y,) = graph.op("My", [x], [((1, 4), "FLOAT32")], custom_options=b"options of My")
    graph.output(y)
    inside, outside = model.build(), model.build(external=True)
    assert model.build() == inside
    for data, apart in ((inside, False), (outside, True)):
        made = load(data)
        operator = made.subgraphs[0].operators[0]
        assert (operator.largeCustomOptionsOffset > 1) is apart
        assert bytes(operator.customOptions) == b"options of My"
        assert bytes(made.operatorCodes[0].customCode) == b"My"


def test_subgraphs_and_signatures_are_found_by_name():
    model = ModelBuilder()
    graphs = [model.graph(name) for name in ("main", "other")]
    for number, graph in enumerate(graphs):
        x = graph.input((1, 4), name=f"x{number}")
        y = graph.add(x, np.full(4, number + 1))
        graph.output(y)
        model.signature(f"run{number}", graph, {"x": x}, {"y": y})
    interpreter = Interpreter(model_content=model.build())
    for number in range(2):
        runner = interpreter.get_signature_runner(f"run{number}")
        found = runner(x=np.zeros((1, 4), np.float32))["y"]
        assert np.array_equal(found, np.full((1, 4), number + 1))


def test_a_model_that_is_refused_or_too_slow_is_an_error():
    model = ModelBuilder()
    graph = model.graph()
    (y,) = graph.op("Unknown", [graph.input((1, 4))], [((1, 4), "FLOAT32")])
    graph.output(y)
    with pytest.raises(LiteRTError, match="unresolved custom op: Unknown"):
        run(model.build())
    with pytest.raises(LiteRTError, match="took more than"):
        run(model.build(), timeout=0.001)
