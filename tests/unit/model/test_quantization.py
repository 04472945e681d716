"""Zero points as they broadcast to a tensor, and those that do not fit it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.errors import ModelError
from tflite_sparse.model import Model, Tensor
from tflite_sparse.model.quantization import moved_quantization, quantization_facts, zero_points


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


@pytest.mark.parametrize(
    ("change", "scales", "axis"),
    [
        (lambda values: values[:, :, ::-1], [1, 2], 0),
        (lambda values: values[::-1], [2, 1], 0),
        (lambda values: values[1:], [2], 0),
        (lambda values: values.transpose(3, 1, 2, 0), [1, 2], 3),
        (lambda values: np.pad(values, ((0, 1), (0, 0), (1, 1), (0, 2))), [1, 2, 1], 0),
    ],
    ids=["turned", "in another order", "cut", "transposed", "padded"],
)
def test_scales_go_where_their_channels_go(change, scales, axis) -> None:
    builder = ModelBuilder()
    weight = builder.graph().constant(np.ones((2, 1, 3, 4), np.int8), quantized=([1, 2], [0, 0], 0))
    moved = moved_quantization(Model.read(builder.build()).main.tensors[weight.index], change)
    assert moved["quantized_dimension"] == axis
    assert moved["scale"].tolist() == scales
    assert moved["zero_point"].tolist() == [0] * len(scales)


@pytest.mark.parametrize("scale", [0, -2, np.nan, np.inf])
def test_scales_that_are_no_steps_go_with_their_channels_too(scale) -> None:
    builder = ModelBuilder()
    quantized = ([scale, 1, 1], [0, 0, 0], 0)
    weight = builder.graph().constant(np.ones((3, 1, 3, 4), np.int8), quantized=quantized)
    tensor = Model.read(builder.build()).main.tensors[weight.index]
    moved = moved_quantization(tensor, lambda v: np.pad(v[::-1], ((0, 1), (0, 0), (0, 0), (1, 1))))
    np.testing.assert_array_equal(moved["scale"], np.array([1, 1, scale, 1], np.float32))


def test_channels_that_are_mixed_have_no_scales() -> None:
    builder = ModelBuilder()
    weight = builder.graph().constant(np.ones((2, 2), np.int8), quantized=([1, 2], [0, 0], 0))
    tensor = Model.read(builder.build()).main.tensors[weight.index]

    def mixed(values):
        values[0, 1], values[1, 1] = values[1, 1], values[0, 1]
        return values

    with pytest.raises(ValueError, match=tensor.name):
        moved_quantization(tensor, lambda values: mixed(values.copy()))
    assert moved_quantization(tensor, np.array) is not None
