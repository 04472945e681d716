"""Every layer of the builder runs on LiteRT, with the shape and the version it declares."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.litert import invoke, run
from tests.support.nets.builder import ModelBuilder
from tests.support.peers.object_api import load

MAP = (1, 6, 8, 4)

# Each layer by what is special about it, how it is built on a map of features, and the version that
# tflite/converter/tools/versioning/op_version.cc of LiteRT gives it.
LAYERS = {
    "conv": (lambda g, x: g.conv2d(x, 5, kernel=3, stride=2, padding="VALID"), 1),
    "conv-dilated": (lambda g, x: g.conv2d(x, 5, kernel=(3, 2), dilation=2, padding="SAME"), 1),
    "conv-grouped": (lambda g, x: g.conv2d(x, 6, kernel=3, groups=2), 6),
    "conv-activation": (lambda g, x: g.conv2d(x, 5, activation="RELU6"), 1),
    "conv-hybrid": (lambda g, x: g.conv2d(x, 5, storage="int8"), 5),
    "depthwise": (lambda g, x: g.depthwise(x, kernel=(3, 5), stride=2, padding="VALID"), 1),
    "depthwise-multiplier": (lambda g, x: g.depthwise(x, multiplier=3), 1),
    "depthwise-dilated": (lambda g, x: g.depthwise(x, dilation=2), 2),
    "depthwise-hybrid": (lambda g, x: g.depthwise(x, storage="int8"), 6),
    "transpose-conv": (lambda g, x: g.transpose_conv(x, 3), 1),
    "transpose-conv-valid-bias": (
        lambda g, x: g.transpose_conv(x, 3, kernel=4, padding="VALID", bias=True),
        3,
    ),
    "transpose-conv-activation": (lambda g, x: g.transpose_conv(x, 3, activation="RELU"), 4),
    "fully-connected": (lambda g, x: g.fully_connected(x, 7), 1),
    "fully-connected-without-bias": (lambda g, x: g.fully_connected(x, 7, bias=False), 1),
    "fully-connected-keep": (lambda g, x: g.fully_connected(x, 7, keep_num_dims=True), 5),
    "fully-connected-hybrid": (lambda g, x: g.fully_connected(x, 7, storage="int8"), 3),
    "fully-connected-sparse": (
        lambda g, x: g.fully_connected(x, 7, zeros=0.8, storage="sparse-direct"),
        8,
    ),
    "batch-matmul": (lambda g, x: g.batch_matmul(x, np.ones((4, 3), np.float32)), 1),
    "pad": (lambda g, x: g.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0))), 1),
    "pad-value": (lambda g, x: g.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), value=0.5), 1),
    "pad-rank-5": (
        lambda g, x: g.pad(g.reshape(x, (1, 1, *MAP[1:])), ((0, 0),) * 4 + ((1, 1),)),
        4,
    ),
    "max-pool": (lambda g, x: g.max_pool(x, kernel=3, stride=2, padding="SAME"), 1),
    "average-pool": (lambda g, x: g.average_pool(x, kernel=(3, 2), activation="RELU"), 1),
    "mean": (lambda g, x: g.mean(x), 1),
    "mean-keep": (lambda g, x: g.mean(x, axes=(-3, -2), keep_dims=True), 1),
    "sum": (lambda g, x: g.sum(x, axes=(3,)), 1),
    "reduce-max": (lambda g, x: g.reduce(x, "REDUCE_MAX"), 1),
    "bilinear": (lambda g, x: g.resize_bilinear(x, (12, 16)), 1),
    "bilinear-corners": (lambda g, x: g.resize_bilinear(x, (12, 16), align_corners=True), 1),
    "bilinear-centers": (lambda g, x: g.resize_bilinear(x, (12, 16), half_pixel_centers=True), 3),
    "nearest": (lambda g, x: g.resize_nearest(x, 9), 1),
    "nearest-corners": (lambda g, x: g.resize_nearest(x, 9, align_corners=True), 3),
    "add": (lambda g, x: g.add(x, x, activation="RELU"), 1),
    "add-constant": (lambda g, x: g.add(x, np.ones(4)), 1),
    "constant-sub": (lambda g, x: g.sub(np.ones(MAP), x), 1),
    "mul-larger": (lambda g, x: g.mul(g.mean(x, keep_dims=True), x), 1),
    "div": (lambda g, x: g.div(x, 2.0), 1),
    "minimum": (lambda g, x: g.minimum(x, 0.2), 1),
    "maximum": (lambda g, x: g.maximum(-0.2, x), 1),
    "squared-difference": (lambda g, x: g.binary("SQUARED_DIFFERENCE", x, np.ones(4)), 1),
    "leaky-relu": (lambda g, x: g.leaky_relu(x), 1),
    "prelu": (lambda g, x: g.prelu(x), 1),
    "softmax": (lambda g, x: g.softmax(x, beta=2.0), 1),
    "concat": (lambda g, x: g.concat([x, g.unary("RELU", x)]), 1),
    "concat-rows": (lambda g, x: g.concat([x, x, x], axis=1), 1),
    "split": (lambda g, x: g.split(x, 2)[1], 1),
    "reshape": (lambda g, x: g.reshape(x, (3, -1, 4)), 1),
    "squeeze": (lambda g, x: g.squeeze(x, (0,)), 1),
    "transpose": (lambda g, x: g.transpose(x, (0, 3, 1, 2)), 1),
    "depth-to-space": (lambda g, x: g.depth_to_space(x), 1),
    "space-to-depth": (lambda g, x: g.space_to_depth(x), 1),
    "reverse": (lambda g, x: g.reverse(x, (2,)), 1),
    "slice": (lambda g, x: g.slice(x, (0, 1, 2, 0), (1, 4, 5, 3)), 1),
    "strided-slice": (lambda g, x: g.strided_slice(x, (0, 0, 1, 0), (1, 6, 8, 4), (1, 2, 3, 1)), 1),
    "half-constant": (lambda g, x: g.add(x, g.constant(np.ones(4), storage="fp16")), 1),
    "dequantize": (
        lambda g, x: g.add(x, g.dequantize(g.constant(np.ones(4, np.float16)))),
        1,
    ),
    "densify": (
        lambda g, x: g.add(
            x, g.densify(g.constant(np.eye(4)[0].astype("f4"), storage="sparse-direct"))
        ),
        1,
    ),
    "quantize": (lambda g, x: g.dequantize(g.quantize(x, 0.01)), 2),
    **{
        name.lower(): (lambda g, x, name=name: g.unary(name, x), 1)
        for name in (
            *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LOGISTIC", "NEG"),
            *("RELU", "RELU6", "RELU_N1_TO_1", "ROUND", "SIN", "SQUARE", "TANH"),
        )
    },
}

INT8_LAYERS = {
    "conv": (lambda g, x: g.conv2d(x, 8, kernel=3, storage="int8"), 3),
    "depthwise": (lambda g, x: g.depthwise(x, stride=2, storage="int8"), 3),
    "transpose-conv": (lambda g, x: g.transpose_conv(x, 3, storage="int8"), 2),
    "fully-connected": (lambda g, x: g.fully_connected(x, 7, storage="int8"), 4),
    "pad": (lambda g, x: g.pad_spatial(x), 2),
    "pad-value": (lambda g, x: g.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), value=0.5), 2),
    "max-pool": (lambda g, x: g.max_pool(x), 2),
    "average-pool": (lambda g, x: g.average_pool(x), 2),
    "mean": (lambda g, x: g.mean(x), 2),
    "bilinear": (lambda g, x: g.resize_bilinear(x, 12), 2),
    "add": (lambda g, x: g.add(x, x), 2),
    "add-constant": (lambda g, x: g.add(x, np.full(4, 0.25)), 2),
    "logistic": (lambda g, x: g.logistic(x), 2),
    "softmax": (lambda g, x: g.softmax(x), 2),
    "concat": (lambda g, x: g.concat([x, x]), 2),
    "reshape": (lambda g, x: g.reshape(x, (4, -1)), 1),
    "reverse": (lambda g, x: g.reverse(x, (1,)), 3),
}


def _build(layer, kind, **quantized):
    model = ModelBuilder(seed=3)
    graph = model.graph()
    made = layer(graph, graph.input(MAP, kind, **quantized))
    graph.output(made)
    return made, model.build()


def _last_version(data):
    model = load(data)
    last = model.subgraphs[0].operators[-1]
    return model.operatorCodes[last.opcodeIndex].version


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_runs_with_the_shape_and_the_version_it_declares(name):
    layer, version = LAYERS[name]
    made, data = _build(layer, "FLOAT32")
    (kernels,) = invoke(data, xnnpack=False).values()
    (delegate,) = invoke(data).values()
    assert kernels.shape == made.shape
    assert _last_version(data) == version
    # A hybrid kernel quantizes its input, each in its own way.
    tolerance = 0.05 if name.endswith("hybrid") else 1e-4
    assert np.allclose(delegate, kernels, atol=tolerance, rtol=1e-4)
    assert np.isfinite(kernels).all()
    assert np.ptp(kernels) > 0


@pytest.mark.parametrize("name", INT8_LAYERS)
def test_an_int8_layer_runs_and_is_near_the_same_layer_in_fp32(name):
    layer, version = INT8_LAYERS[name]
    made, data = _build(layer, "INT8", scale=1 / 32)
    _, reference = _build(layer, "FLOAT32")
    stored = np.random.default_rng(1).integers(-32, 33, MAP).astype(np.int8)
    (found,) = invoke(data, {"input": stored}, xnnpack=False).values()
    (wanted,) = invoke(reference, {"input": stored / np.float32(32)}, xnnpack=False).values()
    assert found.shape == made.shape
    assert _last_version(data) == version
    if made.type == "INT8":
        quantization = load(data).subgraphs[0].tensors[made.index].quantization
        (scale,), (point,) = quantization.scale, quantization.zeroPoint
        found = (found.astype(np.float32) - point) * scale
        wanted = np.clip(wanted, (-128 - point) * scale, (127 - point) * scale)
    assert np.abs(found - wanted).max() < 0.12
    assert np.ptp(found) > 0


def test_many_dimensions_have_versions_of_their_own():
    def version(layer):
        return _last_version(_build(layer, "FLOAT32")[1])

    def deep(g, x):
        return g.reshape(x, (1, 1, *MAP[1:]))

    assert version(lambda g, x: g.transpose(deep(g, x), (0, 1, 4, 3, 2))) == 4
    assert version(lambda g, x: g.slice(deep(g, x), (0,) * 5, (1, 1, 2, 2, 2))) == 5
    assert version(lambda g, x: g.sub(deep(g, x), np.ones(4))) == 3
    assert version(lambda g, x: g.div(deep(g, x), np.ones(4))) == 2
    assert version(lambda g, x: g.minimum(deep(g, x), deep(g, x))) == 1


def test_what_stands_between_a_stored_filter_and_its_convolution():
    model = ModelBuilder()
    graph = model.graph()
    graph.output(graph.conv2d(graph.input(MAP), 8, zeros=0.8, storage="fp16-sparse"))
    made = load(model.build())
    chain = []
    for operator in made.subgraphs[0].operators:
        code = made.operatorCodes[operator.opcodeIndex]
        chain.append((code.builtinCode, code.deprecatedBuiltinCode, code.version))
    # DENSIFY, DEQUANTIZE and CONV_2D of schema.fbs.
    assert chain == [(124, 124, 1), (6, 6, 3), (3, 3, 1)]


def test_a_process_of_its_own_gives_what_this_process_gives():
    _, data = _build(lambda g, x: g.conv2d(x, 5, kernel=3, name="a/b"), "FLOAT32")
    inputs = {"input": np.random.default_rng(5).standard_normal(MAP).astype(np.float32)}
    for xnnpack in (False, True):
        apart, here = (f(data, inputs, xnnpack=xnnpack) for f in (run, invoke))
        assert apart.keys() == here.keys() == {"a/b"}
        assert np.array_equal(apart["a/b"], here["a/b"])
