"""Multiplications of operators, against their definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import GraphBuilder, ModelBuilder, Value
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.model.macs import macs

if TYPE_CHECKING:
    from tests.support.nets.small_nets import Net


def _macs(net: Net) -> int:
    return sum(macs(operator) for operator in Model.read(build(net)).operators())


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        # Each of the 5x5x7 outputs meets 3x3x4 inputs.
        (lambda g: g.conv2d(g.input((1, 5, 5, 4)), 7, kernel=3), 5 * 5 * 7 * 3 * 3 * 4),
        (lambda g: g.conv2d(g.input((2, 6, 6, 4)), 8, stride=2), 2 * 3 * 3 * 8 * 4),
        (lambda g: g.conv2d(g.input((1, 5, 5, 4)), 8, groups=2), 5 * 5 * 8 * 2),
        (lambda g: g.depthwise(g.input((1, 5, 5, 4)), kernel=3), 5 * 5 * 4 * 9),
        (lambda g: g.depthwise(g.input((1, 5, 5, 4)), multiplier=2), 5 * 5 * 8 * 9),
        (lambda g: g.fully_connected(g.input((3, 10)), 6), 3 * 6 * 10),
        # Each of the 4x4x3 inputs meets the whole 3x3 filter of 5 outputs.
        (lambda g: g.transpose_conv(g.input((1, 4, 4, 3)), 5, kernel=3), 4 * 4 * 3 * 3 * 3 * 5),
        (
            lambda g: g.batch_matmul(g.input((2, 3, 4)), np.ones((2, 4, 5), np.float32)),
            2 * 3 * 4 * 5,
        ),
        (lambda g: g.add(g.input((1, 5, 5, 4)), 1.0), 0),
    ],
)
def test_products_are_counted(net: Net, expected: int) -> None:
    assert _macs(net) == expected


def test_an_operator_of_a_sparse_weight_counts_as_dense() -> None:
    dense = _macs(lambda g: g.conv2d(g.input((1, 8, 8, 16)), 32, zeros=0.9))
    assert dense == _macs(
        lambda g: g.conv2d(g.input((1, 8, 8, 16)), 32, zeros=0.9, storage="sparse")
    )


def _custom(graph: GraphBuilder) -> Value:
    x = graph.input((1, 4, 4, 3))
    filters = graph.constant(np.ones((5, 2, 2, 3), np.float32))
    return graph.op("Convolution2DTransposeBias", [x, filters], [((1, 8, 8, 5), "FLOAT32")])[0]


def test_mediapipes_transposed_convolution_counts() -> None:
    assert _macs(_custom) == 4 * 4 * 3 * 2 * 2 * 5


def test_a_recurrent_operator_counts_its_matrices_once_a_step() -> None:
    def lstm(graph: GraphBuilder) -> Value:
        x = graph.input((7, 2, 10))  # steps, batch, features
        matrices = [graph.constant(np.ones((4, 10), np.float32)) for _ in range(4)]
        matrices += [graph.constant(np.ones((4, 4), np.float32)) for _ in range(4)]
        state = graph.tensor((2, 4))
        graph.table.tensors[state.index].isVariable = True
        operands = [x, *matrices, state]
        return graph.op("UNIDIRECTIONAL_SEQUENCE_LSTM", operands, [((7, 2, 4), "FLOAT32")])[0]

    assert _macs(lstm) == 7 * 2 * (4 * 4 * 10 + 4 * 4 * 4)


def test_shapes_that_make_no_sense_count_as_nothing() -> None:
    def odd(graph: GraphBuilder) -> Value:
        x = graph.input((1, 4, 4, 3))
        filters = graph.constant(np.ones((5, 3), np.float32))
        return graph.op("CONV_2D", [x, filters], [((1, 4, 4, 5), "FLOAT32")])[0]

    assert _macs(odd) == 0


def test_operands_that_are_missing_count_as_nothing() -> None:
    assert (
        _macs(lambda g: g.op("CONV_2D", [g.input((1, 4, 4, 3))], [((1, 4, 4, 5), "FLOAT32")])[0])
        == 0
    )


def test_negative_sizes_count_as_nothing() -> None:
    def odd(graph: GraphBuilder) -> Value:
        x = graph.input((1, 4, 4, 3))
        filters = graph.constant(np.ones((5, 1, 1, 3), np.float32))
        return graph.op("CONV_2D", [x, filters], [((1, -4, 4, 5), "FLOAT32")])[0]

    assert _macs(odd) == 0


def test_an_operator_without_outputs_counts_as_nothing() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4, 4, 3))
    graph.op("CONV_2D", [x, graph.constant(np.ones((5, 1, 1, 3), np.float32))], [])
    assert [macs(operator) for operator in Model.read(builder.build()).operators()] == [0]
