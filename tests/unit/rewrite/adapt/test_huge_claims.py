"""Shapes that no runtime could hold do not get in the way of an answer."""

from __future__ import annotations

import json

import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.options import AdaptOptions
from tflite_sparse.rewrite.optimize import optimize

LARGEST = 2**31 - 1


# The sum of the times becomes infinite, or a number of elements is none that a float can hold.
@pytest.mark.parametrize(("dimensions", "operators"), [(33, 12), (40, 1)])
def test_a_model_with_times_beyond_all_numbers_is_optimized(
    dimensions: int, operators: int
) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.conv2d(graph.input((1, 16, 16, 32)), 32, zeros=0.9)
    for _ in range(operators):
        (x,) = graph.op("ABS", [x], [((LARGEST,) * dimensions, "FLOAT32")])
    graph.output(x)
    found = optimize(Model.read(builder.build()), AdaptOptions(min_gain=1.03))
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_scalars_that_are_joined_leave_the_model_as_it_is() -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    x, y = graph.conv2d(graph.input((1, 16, 16, 32)), 32, zeros=0.9), graph.input(())
    options = litert_schema.ConcatenationOptionsT()
    (z,) = graph.op("CONCATENATION", [y, y], [((2,), "FLOAT32")], options)
    graph.output(x, z)
    found = optimize(Model.read(builder.build()))
    assert found.adaptation is not None
    assert not found.adaptation.done
