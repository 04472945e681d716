"""Zero points as they broadcast to a tensor, and those that do not fit it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import ModelError
from tflite_sparse.model import Model, Tensor
from tflite_sparse.model.quantization import quantization_facts, zero_points


def _quantized(points: list[int], axis: int) -> Tensor:
    builder = ModelBuilder()
    graph = builder.graph()
    values = np.ones((2, 1, 1, 4), np.int8)
    weight = graph.constant(values, quantized=([0.5] * max(len(points), 1), points, axis))
    return Model.read(builder.build()).subgraphs[0].tensors[weight.index]


@pytest.mark.parametrize(("points", "axis"), [([1, 2, 3], 0), ([1, 2], 3), ([1, 2], 4)])
def test_zero_points_that_do_not_fit_the_quantized_dimension_are_refused(
    points: list[int], axis: int
) -> None:
    with pytest.raises(ModelError, match=rf"has {len(points)} zero points for dimension {axis} "):
        zero_points(_quantized(points, axis))


def test_a_negative_quantized_dimension_is_the_first() -> None:
    points = zero_points(_quantized([1, 2], -2))
    assert points is not None
    assert points.shape == (2, 1, 1, 1)


def test_scales_without_zero_points_lie_at_zero() -> None:
    tensor = _quantized([], 0)
    assert zero_points(tensor) is None
    facts = quantization_facts(tensor)
    assert facts is not None
    assert facts.zero_points == (0,)
