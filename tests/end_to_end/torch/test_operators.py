"""Every operator that has a counterpart in PyTorch, with its options, against LiteRT."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.end_to_end.torch.same import assert_same_as_litert, built, inputs_of
from tflite_sparse.torch.operators.table import RULES

ACTIVATIONS = st.sampled_from(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
PADDINGS = st.sampled_from(["SAME", "VALID"])
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
STORAGES = st.sampled_from(["dense", "fp16", "sparse", "fp16-sparse", "int8-values"])
FEW = settings(max_examples=20, deadline=None, derandomize=True)


def fits(sizes, kernel, dilation=(1, 1)):
    return all((k - 1) * d < size for size, k, d in zip(sizes, kernel, dilation, strict=True))


@given(SIZES, PAIRS, PAIRS, PAIRS, PADDINGS, ACTIVATIONS, STORAGES)
@FEW
def test_convolution(sizes, kernel, stride, dilation, padding, activation, storage):
    assume(padding == "SAME" or fits(sizes, kernel, dilation))
    data = built(
        lambda g, x: g.conv2d(x, 6, kernel, stride, padding, activation, dilation, storage=storage),
        (1, *sizes, 4),
    )
    assert_same_as_litert(data)


@given(SIZES, PAIRS, PAIRS, PADDINGS, st.sampled_from([1, 2, 4]))
@FEW
def test_convolution_in_groups(sizes, kernel, stride, padding, groups):
    assume(padding == "SAME" or fits(sizes, kernel))
    data = built(
        lambda g, x: g.conv2d(x, 8, kernel, stride, padding, groups=groups), (1, *sizes, 4)
    )
    assert_same_as_litert(data)


@given(SIZES, PAIRS, st.integers(1, 3), PAIRS, PADDINGS, ACTIVATIONS, st.integers(1, 2), STORAGES)
@FEW
def test_depthwise(sizes, kernel, stride, dilation, padding, activation, multiplier, storage):
    assume(padding == "SAME" or fits(sizes, kernel, dilation))
    # LiteRT dilates with a stride of 1 alone.
    dilation = dilation if stride == 1 else (1, 1)
    data = built(
        lambda g, x: g.depthwise(
            x, kernel, stride, padding, activation, multiplier, dilation, storage=storage
        ),
        (1, *sizes, 4),
    )
    assert_same_as_litert(data)


@given(SIZES, PAIRS, PAIRS, PADDINGS, ACTIVATIONS, st.booleans(), STORAGES)
@FEW
def test_transposed_convolution(sizes, kernel, stride, padding, activation, bias, storage):
    # XNNPACK leaves such a filter to TFLite, and keeps its values to itself.
    narrow = padding == "SAME" and any(k < s for k, s in zip(kernel, stride, strict=True))
    assume(storage != "fp16-sparse" or not narrow)
    data = built(
        lambda g, x: g.transpose_conv(
            x, 3, kernel, stride, padding, activation=activation, bias=bias, storage=storage
        ),
        (1, *sizes, 4),
    )
    assert_same_as_litert(data)


@given(st.integers(1, 12), ACTIVATIONS, st.booleans(), STORAGES, st.booleans())
@FEW
def test_fully_connected(units, activation, keep, storage, bias):
    data = built(
        lambda g, x: g.fully_connected(
            x, units, activation, keep_num_dims=keep, storage=storage, bias=bias
        ),
        (2, 3, 8),
    )
    assert_same_as_litert(data)


@given(SIZES, PAIRS, PAIRS, PADDINGS, ACTIVATIONS, st.sampled_from(["MAX", "AVERAGE"]))
@FEW
def test_pooling(sizes, kernel, stride, padding, activation, kind):
    assume(padding == "SAME" or fits(sizes, kernel))
    data = built(
        lambda g, x: g.pool(x, f"{kind}_POOL_2D", kernel, stride, padding, activation),
        (1, *sizes, 4),
    )
    assert_same_as_litert(data)


@given(
    st.sampled_from(["ADD", "SUB", "MUL", "DIV", "MINIMUM", "MAXIMUM", "SQUARED_DIFFERENCE"]),
    st.sampled_from([(), (4,), (1, 1, 1, 4), (1, 5, 1, 1), (1, 5, 6, 4)]),
    st.booleans(),
    ACTIVATIONS,
)
@FEW
def test_arithmetic(kind, shape, swapped, activation):
    other = np.random.default_rng(0).uniform(0.5, 2, shape).astype(np.float32)
    if kind in ("MINIMUM", "MAXIMUM", "SQUARED_DIFFERENCE"):
        activation = "NONE"

    def make(graph, x):
        if swapped and kind != "DIV":
            return graph.binary(kind, other, x, activation)
        return graph.binary(kind, x, other, activation)

    assert_same_as_litert(built(make))


@pytest.mark.parametrize(
    "kind",
    ["RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "ELU", "GELU", "HARD_SWISH", "LOGISTIC",
     "TANH", "ABS", "NEG", "EXP", "SQUARE", "SIN", "COS", "CEIL", "FLOOR", "ROUND", "SIGN"],
)  # fmt: skip
def test_function_of_each_value(kind):
    data = built(lambda g, x: g.unary(kind, x), (1, 9, 9, 8))
    inputs = inputs_of(data, -8, 8)
    # Both sides of every bend, and halves.
    next(iter(inputs.values())).reshape(-1)[:12] = (
        -3,
        3,
        0,
        6,
        1,
        -1,
        0.5,
        1.5,
        2.5,
        -0.5,
        -1.5,
        7,
    )
    assert_same_as_litert(data, inputs)


@pytest.mark.parametrize("kind", ["LOG", "SQRT", "RSQRT"])
def test_function_of_each_positive_value(kind):
    data = built(lambda g, x: g.unary(kind, x))
    assert_same_as_litert(data, inputs_of(data, 0.1, 9))


def test_gelu_by_its_approximation():
    options = litert_schema.GeluOptionsT()
    options.approximate = True
    data = built(lambda g, x: g.op("GELU", [x], [(x.shape, "FLOAT32")], options)[0])
    assert_same_as_litert(data, inputs_of(data, -4, 4))


def test_activations_with_slopes():
    for make in (
        lambda g, x: g.leaky_relu(x, 0.2),
        lambda g, x: g.prelu(x),
        lambda g, x: g.prelu(x, np.full((5, 6, 4), 0.3, np.float32)),
    ):
        assert_same_as_litert(built(make))


@pytest.mark.parametrize("shape", [(1, 5, 6, 4), (3, 7), (9,)])
@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_softmax(shape, beta):
    assert_same_as_litert(built(lambda g, x: g.softmax(x, beta), shape))


@pytest.mark.parametrize("kind", ["LOG_SOFTMAX", "L2_NORMALIZATION"])
def test_along_channels(kind):
    options = litert_schema.L2NormOptionsT() if kind == "L2_NORMALIZATION" else None
    assert_same_as_litert(
        built(lambda g, x: g.op(kind, [x], [(x.shape, "FLOAT32")], options)[0]),
    )


def test_local_response_normalization():
    options = litert_schema.LocalResponseNormalizationOptionsT()
    options.radius, options.bias, options.alpha, options.beta = 2, 1.0, 0.3, 0.6
    kind = "LOCAL_RESPONSE_NORMALIZATION"
    data = built(lambda g, x: g.op(kind, [x], [(x.shape, "FLOAT32")], options)[0], (1, 3, 3, 9))
    assert_same_as_litert(data)


@given(
    st.sampled_from(["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"]),
    st.sets(st.integers(-3, -1), min_size=1).map(sorted),
    st.booleans(),
)
@FEW
def test_reduction(kind, axes, keep_dims):
    assert_same_as_litert(built(lambda g, x: g.reduce(x, kind, axes, keep_dims)))


@given(SIZES, SIZES, st.sampled_from([(False, False), (True, False), (False, True)]), st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_resizing(before, after, modes, nearest):
    def make(graph, x):
        resize = graph.resize_nearest if nearest else graph.resize_bilinear
        return resize(x, after, *modes)

    assert_same_as_litert(built(make, (1, *before, 3)))


def test_names_of_rules_are_those_of_the_schema():
    operators = set(vars(litert_schema.BuiltinOperator))
    assert set(RULES) - operators == {"Convolution2DTransposeBias"}
