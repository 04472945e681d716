"""What storing values makes of a model's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build, head, trunk
from tests.unit.rewrite.models import models
from tests.unit.rewrite.storage.values import (
    FP16,
    INT8,
    TO_FP32,
    convolution,
    kinds,
    stored,
    written,
)
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.optimize import Optimize
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
from tflite_sparse.storage.options import DensifyOptions, SparsifyOptions
from tflite_sparse.storage.values.decide import decide_values
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.storage.values.quantize import dequantized

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def test_a_sparse_weight_becomes_int8_behind_densify_and_dequantize() -> None:
    model, result = stored(build(convolution()))
    assert kinds(model) == [("DENSIFY", 1), ("DEQUANTIZE", 5), ("CONV_2D", 1)]
    densify, dequantize, conv = model.main.operators
    constant, dense, real = densify.inputs[0], densify.outputs[0], conv.inputs[1]
    assert constant is not None
    assert real is dequantize.outputs[0]
    assert [t.type for t in (constant, dense, real) if t] == ["INT8", "INT8", "FLOAT32"]
    assert [t.name for t in (constant, dense, real) if t] == [
        "conv/filter",
        "conv/filter_densify",
        "conv/filter_densify_dequantize",
    ]
    for tensor in (constant, dense):
        assert tensor.quantization is not None
        assert tensor.quantization["scale"].shape == (64,)
        assert tensor.quantization["zero_point"].tolist() == [0] * 64
        assert tensor.quantization["quantized_dimension"] == 0
    (change,) = result.weights
    assert (change.before, change.after[:3], change.weight.type) == ("dense", "CSR", "FLOAT32")
    assert change.rounding is not None
    assert change.rounding.snr is not None
    assert change.rounding.snr > 40


def test_a_dense_weight_becomes_int8_behind_dequantize() -> None:
    model, result = stored(build(convolution(zeros=0.0)))
    assert kinds(model) == [("DEQUANTIZE", 5), ("CONV_2D", 1)]
    assert [change.after for change in result.weights] == ["dense"]
    assert result.model.main.operators[1].inputs[2].type == "FLOAT32"


def test_a_sparse_weight_that_is_smaller_dense_as_int8_leaves_nothing_that_is_not_read() -> None:
    halves, _ = stored(build(convolution(zeros=0.4)), FP16)
    assert kinds(halves)[0] == ("DENSIFY", 1)
    model, _ = stored(halves.to_bytes())
    assert kinds(model) == [("DEQUANTIZE", 5), ("CONV_2D", 1)]


def test_zeros_and_values_are_those_of_the_weight() -> None:
    data = build(convolution())
    before = find_weights(Model.read(data))[0].tensor.data
    assert before is not None
    model, result = stored(data)
    weight = find_weights(model)[0].tensor
    whole = decoded(weight)
    assert whole is not None
    assert weight.quantization is not None
    assert (whole[before == 0] == 0).all()
    scales = weight.quantization["scale"]
    apart = np.abs(dequantized(whole, scales, 0) - before)
    assert (apart <= scales.reshape(-1, 1, 1, 1) * 1.00001).all()
    assert result.weights[0].zeros == int((whole == 0).sum())


def test_depthwise_weights_have_their_scales_along_the_last_dimension() -> None:
    model, _ = stored(build(lambda g: g.depthwise(g.input((1, 8, 8, 64)))))
    constant = model.main.operators[0].inputs[0]
    assert constant is not None
    assert constant.quantization is not None
    assert constant.quantization["quantized_dimension"] == 3
    assert kinds(model)[0] == ("DEQUANTIZE", 5)


def test_a_single_channel_has_one_scale() -> None:
    model, _ = stored(build(lambda g: g.fully_connected(g.input((1, 2048)), 1)))
    assert kinds(model) == [("DEQUANTIZE", 2), ("FULLY_CONNECTED", 1)]


def test_lists_of_zero_points_are_stored_once() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.input((1, 8, 8, 256))
        for _ in range(4):
            x = g.conv2d(x, 256)
        return x

    model, _ = stored(build(net))
    tables = [t.quantization for t in model.main.tensors if t.is_constant and t.type == "INT8"]
    places = {table.location("zero_point") for table in tables if table is not None}
    assert len(tables) == 4
    assert len(places) == 1


def test_fp16_values_take_their_biases_along() -> None:
    model, result = stored(build(convolution()), FP16)
    assert kinds(model) == [("DENSIFY", 1), ("DEQUANTIZE", 3), ("DEQUANTIZE", 3), ("CONV_2D", 1)]
    assert [t.type for t in model.main.tensors if t.is_constant] == ["FLOAT16", "FLOAT16"]
    assert any("biases are fp16" in note for note in result.notes)


def test_int8_values_of_an_fp16_model_unpack_its_biases() -> None:
    data = build(convolution(storage="fp16", bias_storage="fp16"))
    model, result = stored(data)
    assert kinds(model) == [("DENSIFY", 1), ("DEQUANTIZE", 5), ("CONV_2D", 1)]
    bias = model.main.operators[-1].inputs[2]
    assert bias is not None
    assert bias.type == "FLOAT32"
    half = Model.read(data).main.tensors[3].data
    assert bias.data is not None
    assert half is not None
    assert np.array_equal(bias.data, half.astype(np.float32))
    assert any("biases are fp32" in note for note in result.notes)


@pytest.mark.parametrize("options", [INT8, FP16], ids=["int8", "fp16"])
@settings(max_examples=25)
@given(data=models())
def test_a_second_run_changes_nothing(options: ValuesOptions, data: bytes) -> None:
    once = SparsifyValues(options).run(Model.read(data))
    again = SparsifyValues(options).run(Model.read(written(once)))
    assert not again.changed, (again.weights, again.operators)


@settings(max_examples=25)
@given(data=models(), values=st.sampled_from([INT8, FP16]))
def test_files_get_smaller_and_weights_back(data: bytes, values: ValuesOptions) -> None:
    model, result = stored(data, values)
    if result.changed:
        assert model.size < len(data)
    wide = Model.read(written(DensifyValues(TO_FP32).run(model)))
    for weight in find_weights(wide):
        for use in weight.uses:
            assert use.dequantize is None or use.operator.name == "DEQUANTIZE"


def test_densify_gives_back_what_the_runtime_computes() -> None:
    data = build(convolution())
    model, _ = stored(data)
    weight = find_weights(model)[0].tensor
    whole, table = decoded(weight), weight.quantization
    assert whole is not None
    assert table is not None
    wide = Model.read(written(DensifyValues(TO_FP32).run(model)))
    assert kinds(wide) == kinds(Model.read(data))
    back = find_weights(wide)[0].tensor
    assert (back.name, back.type, back.sparsity) == ("conv/filter", "FLOAT32", None)
    assert back.quantization is None
    assert np.array_equal(back.data, dequantized(whole, table["scale"], 0))


def test_the_library_unpacks_in_place() -> None:
    model, _ = stored(build(convolution()))
    result = densify(model, TO_FP32)
    assert result.model is model
    assert kinds(Model.read(written(result))) == [("CONV_2D", 1)]


@pytest.mark.parametrize(
    ("values", "operators"),
    [
        (StoredValues.INT8, [("DEQUANTIZE", 5), ("CONV_2D", 1)]),
        (StoredValues.FP16, [("CONV_2D", 1)]),
        (StoredValues.FP32, [("CONV_2D", 1)]),
    ],
)
def test_densify_lets_the_numbers_stay_that_may(
    values: StoredValues, operators: list[tuple[str, int]]
) -> None:
    model, _ = stored(build(convolution()))
    result = DensifyValues(DensifyOptions(values=values)).run(model)
    assert kinds(Model.read(written(result))) == operators


def test_shared_weights_are_stored_once() -> None:
    def net(g: GraphBuilder) -> Value:
        shared = g.constant(g.rng.standard_normal((64, 1, 1, 64)).astype(np.float32))
        x = g.input((1, 8, 8, 64))
        return g.conv2d(g.conv2d(x, 64, filters=shared), 64, filters=shared)

    model, result = stored(build(net))
    assert kinds(model) == [("DEQUANTIZE", 5), ("CONV_2D", 1), ("CONV_2D", 1)]
    assert len(result.weights) == 1


def test_the_version_of_the_runtime_is_raised() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 8, 8, 64)), 64, zeros=0.8))
    builder.metadata("min_runtime_version", b"1.14.0".ljust(16, b"\0"))
    _, result = stored(builder.build())
    assert result.min_runtime_version is not None
    assert result.min_runtime_version.after == "2.7.0"


def test_a_sparse_model_is_adapted_and_then_stored_in_other_numbers() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.max_pool(trunk(g, storage="sparse"))
        return head(g, g.conv2d(x, 16, zeros=0.9, storage="sparse"))

    result = Optimize(values=ValuesOptions(StoredValues.INT8)).run(Model.read(build(net)))
    assert any(change.rounding is not None for change in result.weights)
    assert "INT8" in {weight.tensor.type for weight in find_weights(Model.read(written(result)))}


@pytest.mark.parametrize(("kind", "options"), [("dense", FP16), ("fp16", INT8)])
def test_a_shared_bias_counts_once(kind: str, options: ValuesOptions) -> None:
    def net(g: GraphBuilder) -> Value:
        bias = g.weight(g.rng.standard_normal(64).astype(np.float32), kind)
        x = g.input((1, 8, 8, 64))
        for _ in range(3):
            x = g.conv2d(x, 64, storage=kind, bias=bias)
        return x

    data = build(net)
    decisions = decide_values(Model.read(data), options, SparsifyOptions())
    assert [len(decision.biases) for decision in decisions] == [1, 0, 0]
    _, result = stored(data, options)
    one, *others = (change.bytes_before - change.bytes_after for change in result.weights)
    assert one != others[0] == others[1]
