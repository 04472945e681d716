"""Who reads a constant, and which tensors the caller sees."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.model.uses import Use, trace_constant, uses_of
from tflite_sparse.model.weights import find_weights


def _model(storage: str) -> Model:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5, storage=storage))
    return Model.read(builder.build())


@pytest.mark.parametrize(
    ("storage", "through"),
    [
        ("dense", []),
        ("sparse", ["DENSIFY"]),
        ("fp16", ["DEQUANTIZE"]),
        ("fp16-sparse", ["DENSIFY", "DEQUANTIZE"]),
    ],
)
def test_a_use_is_the_same_from_both_ends(storage: str, through: list[str]) -> None:
    model = _model(storage)
    conv = next(op for op in model.operators() if op.name == "CONV_2D")
    use = trace_constant(conv, 1)
    assert use is not None
    assert [operator.name for operator in use.through] == through
    assert list(uses_of(use.constant)) == [use]


def test_an_operator_that_unpacks_for_nobody_is_the_reader_itself() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.input((1, 4))
    graph.output(graph.constant(np.array([[0, 1]], np.float32), storage="sparse"))
    model = Model.read(builder.build())
    densify = next(op for op in model.operators() if op.name == "DENSIFY")
    assert list(uses_of(densify.inputs[0])) == [Use(densify, 0)]


def test_weights_are_told_apart_by_how_they_are_read_or_by_their_bytes() -> None:
    builder = ModelBuilder()
    buffer = builder.buffer(np.ones((8, 1, 1, 8), np.float32))
    graph = builder.graph()
    wide = graph.constant(np.ones((8, 1, 1, 8), np.float32), buffer=buffer)
    flat = graph.constant(np.ones((8, 8), np.float32), buffer=buffer)
    x = graph.conv2d(graph.input((1, 4, 4, 8)), 8, filters=wide)
    graph.output(graph.fully_connected(x, 8, filters=flat))
    model = Model.read(builder.build())
    assert [len(weight.tensors) for weight in find_weights(model)] == [1, 1]
    (whole,) = find_weights(model, by_bytes=True)
    assert [use.operator.name for use in whole.uses] == ["CONV_2D", "FULLY_CONNECTED"]
    assert len(whole.buffers) == 1
    assert not whole.alike


def test_the_interface_is_what_goes_in_and_comes_out() -> None:
    (graph,) = _model("dense").subgraphs
    assert graph.interface == {*graph.inputs, *graph.outputs}
