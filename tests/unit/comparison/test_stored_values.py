"""A constant behind DENSIFY and DEQUANTIZE is compared as what its readers compute with."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions


def convolution(storage: str = "dense") -> Model:
    builder = ModelBuilder(seed=4)
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 8, 8, 64)), 64, zeros=0.8, storage=storage))
    return Model.read(builder.build())


def in_int8(model: Model) -> Model:
    result = SparsifyValues(ValuesOptions(StoredValues.INT8)).run(model)
    return Model.read(result.model.to_bytes())


def test_what_is_rounded_differs_in_values_alone() -> None:
    found = diff(convolution(), in_int8(convolution()))
    assert not found.equal
    assert not found.graph
    (weight,) = found.weights
    assert weight.operator == "CONV_2D"
    assert weight.before is not None
    assert weight.after is not None
    assert (weight.before.type, weight.after.type) == ("FLOAT32", "INT8")
    assert weight.differing
    assert weight.largest is not None
    assert 0 < weight.largest < 0.05


def test_what_is_unpacked_means_the_same() -> None:
    small = in_int8(convolution())
    wide = DensifyValues(DensifyOptions(values=StoredValues.FP32)).run(small.copy()).model
    found = diff(small, Model.read(wide.to_bytes()))
    assert found.equal
    assert [weight.equal for weight in found.weights] == [True]


def test_another_scale_is_another_value() -> None:
    small = in_int8(convolution())
    other = small.copy()
    for tensor in other.main.tensors:
        if tensor.type == "INT8" and tensor.quantization is not None:
            tensor.quantization["scale"] = tensor.quantization["scale"] * np.float32(2)
    found = diff(small, Model.read(other.to_bytes()))
    assert not found.equal
    assert not found.graph
    assert found.weights[0].differing


def test_fp16_constants_are_compared_with_their_readers() -> None:
    found = diff(convolution("fp16"), convolution("fp16-sparse"))
    assert found.equal
    assert [weight.operator for weight in found.weights] == ["CONV_2D"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scale", np.ones(3, np.float32)),
        ("scale", np.ones(65, np.float32)),
        ("quantized_dimension", 9),
    ],
)
def test_scales_that_fit_no_channels_unpack_nothing(field: str, value: object) -> None:
    damaged = in_int8(convolution())
    for tensor in damaged.main.tensors:
        if tensor.type == "INT8" and tensor.quantization is not None:
            tensor.quantization[field] = value
    damaged = Model.read(damaged.to_bytes())
    assert diff(damaged, damaged.copy()).equal
    assert not diff(in_int8(convolution()), damaged).equal
    wide = DensifyValues(DensifyOptions(values=StoredValues.FP32)).run(damaged).model
    assert "DEQUANTIZE" in {operator.name for operator in wide.main.operators}
