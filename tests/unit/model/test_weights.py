"""Finding the weights of a model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.model.weights import LARGE, Weight, find_weights, is_pointwise


def _weights(builder: ModelBuilder) -> list[Weight]:
    return find_weights(Model.read(builder.build()))


def _through(weight: Weight) -> tuple[bool, bool]:
    use = weight.uses[0]
    return use.densify is not None, use.dequantize is not None


@pytest.mark.parametrize(
    ("storage", "between"),
    [
        ("dense", (False, False)),
        ("sparse", (True, False)),
        ("fp16", (False, True)),
        ("fp16-sparse", (True, True)),
    ],
)
def test_a_weight_is_found_through_what_unpacks_it(
    storage: str, between: tuple[bool, bool]
) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5, storage=storage))
    (weight,) = _weights(builder)
    assert _through(weight) == between
    assert [(use.operator.name, use.operand) for use in weight.uses] == [("CONV_2D", 1)]


def test_biases_and_shapes_are_no_weights() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.pad_spatial(graph.input((1, 4, 4, 8)))
    graph.output(graph.mean(graph.add(x, np.ones(8, np.float32))))
    assert _weights(builder) == []


@pytest.mark.parametrize(("columns", "found"), [(LARGE // 2, 1), (LARGE // 2 - 1, 0)])
def test_any_other_constant_counts_when_it_is_large(columns: int, found: int) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.add(graph.input((2, columns)), np.ones((2, columns), np.float32)))
    assert len(_weights(builder)) == found


def test_a_sparse_constant_counts_however_small() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    bias = graph.constant(np.array([0, 1, 0, 0], np.float32), storage="sparse")
    graph.output(graph.add(graph.input((1, 4)), bias))
    (weight,) = _weights(builder)
    assert weight.readers[0].name == "ADD"


def test_a_sparse_constant_that_nobody_reads_is_read_by_its_densify() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.input((1, 4))
    graph.output(graph.constant(np.array([[0, 1]], np.float32), storage="sparse"))
    (weight,) = _weights(builder)
    assert weight.readers[0].name == "DENSIFY"


def test_a_shared_weight_comes_once_with_all_its_readers() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    filters = graph.constant(np.ones((8, 1, 1, 8), np.float32))
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, filters=filters)
    graph.output(graph.conv2d(x, 8, filters=filters))
    (weight,) = _weights(builder)
    assert [reader.index for reader in weight.readers] == [0, 1]


def test_a_buffer_that_two_subgraphs_share_comes_once() -> None:
    builder = ModelBuilder()
    buffer = builder.buffer(np.ones((8, 1, 1, 8), np.float32))
    for name in ("main", "other"):
        graph = builder.graph(name)
        filters = graph.constant(np.ones((8, 1, 1, 8), np.float32), buffer=buffer)
        graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, filters=filters))
    (weight,) = _weights(builder)
    assert [reader.subgraph.index for reader in weight.readers] == [0, 1]


def test_weights_come_in_the_order_of_their_readers() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    late = graph.constant(np.ones((4, 1, 1, 8), np.float32), name="late")
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, name="early")
    graph.output(graph.conv2d(x, 4, filters=late))
    assert [weight.tensor.name for weight in _weights(builder)] == ["early/filter", "late"]


def test_only_1x1_convolutions_are_pointwise() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 8, 8, 4)), 4, kernel=1)
    x = graph.conv2d(x, 4, kernel=1, stride=2)
    x = graph.conv2d(x, 4, kernel=3)
    x = graph.depthwise(x, kernel=1)
    graph.output(graph.fully_connected(x, 4))
    flags = [is_pointwise(operator) for operator in Model.read(builder.build()).operators()]
    assert flags == [True, True, False, False, False]
