"""What sparsify puts into a model has the form that Google's exporter gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tests.support.peers.object_api import load
from tests.support.real_models import real_model
from tests.unit.rewrite.models import sparse_filters
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.rewrite.changes import Rewrite

DENSIFY = 124
GOOGLE = SparsifyOptions(layout="google")


def sparsified(net: Net, **metadata: bytes) -> tuple[Model, Rewrite]:
    """A model after sparsify, and what was done."""
    model = Model.read(build(net, metadata=metadata, seed=1))
    return model, sparsify(model)


def filters(graph: GraphBuilder, zeros: float = 0.85) -> np.ndarray:
    return sparse_filters(graph.rng, (32, 1, 1, 32), zeros)


def conv(graph: GraphBuilder, x: Value, **options: Any) -> Value:
    return graph.conv2d(x, 32, filters=filters(graph), **options)


def kinds(model: Model, subgraph: int = 0) -> list[str]:
    return [operator.name for operator in model.subgraphs[subgraph].operators]


def test_the_constant_keeps_its_place_and_the_dense_value_is_new() -> None:
    def net(g: GraphBuilder) -> Value:
        return g.conv2d(g.input((1, 6, 6, 32)), 32, filters=filters(g), name="conv")

    model, result = sparsified(net)
    (change,) = result.weights
    graph = load(model.to_bytes()).subgraphs[0]
    constant = graph.tensors[change.weight.tensor]
    assert constant.name == b"conv/filter"
    assert constant.sparsity is not None
    dense = graph.tensors[-1]
    assert dense.name == b"conv/filter_densify"
    assert (dense.type, dense.shape.tolist()) == (constant.type, constant.shape.tolist())
    assert dense.buffer == 0
    assert dense.sparsity is None
    densify_operator, reader = graph.operators
    assert densify_operator.inputs.tolist() == [change.weight.tensor]
    assert densify_operator.outputs.tolist() == [len(graph.tensors) - 1]
    assert densify_operator.builtinOptionsType == 0
    assert reader.inputs[1] == len(graph.tensors) - 1


def test_the_operator_code_is_in_both_fields_in_version_1() -> None:
    model, _ = sparsified(lambda g: conv(g, g.input((1, 6, 6, 32))))
    code = load(model.to_bytes()).operatorCodes[-1]
    assert (code.builtinCode, code.deprecatedBuiltinCode, code.version) == (DENSIFY, DENSIFY, 1)


def test_densify_stands_right_before_the_first_reader() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.unary("ABS", g.input((1, 6, 6, 32)))
        weight = g.constant(filters(g))
        x = g.unary("EXP", g.conv2d(x, 32, filters=weight))
        return g.conv2d(x, 32, filters=weight)

    model, result = sparsified(net)
    assert kinds(model) == ["ABS", "DENSIFY", "CONV_2D", "EXP", "CONV_2D"]
    assert len(result.weights[0].weight.operators) == 2


def test_half_precision_goes_through_densify_before_dequantize() -> None:
    model, _ = sparsified(
        lambda g: conv(g, g.input((1, 6, 6, 32)), storage="fp16", bias_storage="fp16")
    )
    # The second DEQUANTIZE is that of the bias.
    assert kinds(model) == ["DENSIFY", "DEQUANTIZE", "DEQUANTIZE", "CONV_2D"]
    operators = model.subgraphs[0].operators
    assert [t.type for t in operators[0].outputs] == ["FLOAT16"]
    assert [t.type for t in operators[1].outputs] == ["FLOAT32"]
    assert operators[1].version == 3


def test_a_half_precision_filter_with_a_full_bias_is_left_for_the_browser() -> None:
    # LiteRT.js runs such a convolution outside XNNPACK, where the unpacked weight is lost.
    model, result = sparsified(lambda g: conv(g, g.input((1, 6, 6, 32)), storage="fp16"))
    assert kinds(model) == ["DEQUANTIZE", "CONV_2D"]
    assert [left.code for left in result.left if left.weight.shape == (32, 1, 1, 32)] == ["reader"]


def test_a_quantized_weight_keeps_its_quantization_behind_densify() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.input((1, 6, 6, 32), "INT8", scale=0.05)
        return g.conv2d(x, 32, filters=filters(g), storage="int8")

    model, _ = sparsified(net)
    graph = load(model.to_bytes()).subgraphs[0]
    stored, dense = (graph.tensors[i] for i in (graph.operators[0].inputs[0], -1))
    assert dense.quantization.scale.tolist() == stored.quantization.scale.tolist()
    assert dense.quantization.zeroPoint.tolist() == [0] * 32
    assert dense.quantization.quantizedDimension == stored.quantization.quantizedDimension


def test_a_name_that_is_taken_gets_a_number() -> None:
    def net(g: GraphBuilder) -> Value:
        weight = g.constant(filters(g), name="w")
        x = g.input((1, 6, 6, 32), name="w_densify")
        return g.conv2d(x, 32, filters=weight)

    model, _ = sparsified(net)
    assert model.subgraphs[0].tensors[-1].name == "w_densify_2"


def test_tensors_that_share_a_buffer_become_sparse_together() -> None:
    def net(g: GraphBuilder) -> Value:
        values = filters(g)
        buffer = g.model.buffer(values)
        x = g.conv2d(g.input((1, 6, 6, 32)), 32, filters=g.constant(values, "a", buffer=buffer))
        return g.conv2d(x, 32, filters=g.constant(values, "b", buffer=buffer))

    model, result = sparsified(net)
    assert kinds(model) == ["DENSIFY", "CONV_2D", "DENSIFY", "CONV_2D"]
    assert [change.weight.shared for change in result.weights] == [2]
    written = load(model.to_bytes())
    a, b = (t for t in written.subgraphs[0].tensors if t.name in {b"a", b"b"})
    assert a.buffer == b.buffer
    assert a.sparsity is not None
    assert b.sparsity is not None


def test_buffers_that_refer_to_the_same_bytes_outside_are_one_weight() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    x = graph.input((1, 6, 6, 32))
    graph.output(conv(graph, conv(graph, x, bias=False), bias=False))
    model = Model.read(builder.build(external=True))
    first, second = (operator.inputs[1].buffer for operator in model.operators())
    second.table["offset"] = first.table["offset"]
    (weight,) = find_weights(Model.read(model.to_bytes()), by_bytes=True)
    assert len(weight.buffers) == len(weight.tensors) == 2


def test_each_subgraph_has_a_densify_of_its_own() -> None:
    builder = ModelBuilder(seed=1)
    buffer = builder.buffer(sparse_filters(builder.rng, (32, 1, 1, 32), 0.85))
    for name in ("main", "other"):
        graph = builder.graph(name)
        weight = graph.constant(np.zeros((32, 1, 1, 32), np.float32), "w", buffer=buffer)
        graph.output(graph.conv2d(graph.input((1, 6, 6, 32)), 32, filters=weight))
    model = Model.read(builder.build())
    result = sparsify(model)
    assert [change.weight.shared for change in result.weights] == [2]
    assert kinds(model, 0) == kinds(model, 1) == ["DENSIFY", "CONV_2D"]
    assert len([c for c in model.operator_codes if c["builtin_code"] == DENSIFY]) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.14.0", "2.2.0"), ("", "2.2.0"), ("2.2.0", "2.2.0"), ("2.10.0", "2.10.0")],
)
def test_min_runtime_version_is_raised_only_where_it_is_older(before: str, after: str) -> None:
    model, result = sparsified(
        lambda g: conv(g, g.input((1, 6, 6, 32))),
        min_runtime_version=before.encode().ljust(16, b"\0"),
    )
    written = load(model.to_bytes())
    assert written.buffers[written.metadata[0].buffer].data.tobytes() == after.encode().ljust(
        16, b"\0"
    )
    assert (result.min_runtime_version is None) == (before == after)


def test_a_model_that_asks_for_no_runtime_version_still_does_not() -> None:
    model, result = sparsified(lambda g: conv(g, g.input((1, 6, 6, 32))))
    assert result.min_runtime_version is None
    assert load(model.to_bytes()).metadata is None


@pytest.mark.parametrize(
    ("name", "kept_dense"),
    [
        ("face_detection_full_range_sparse", 4),
        ("face_detection_full_range_sparse_mediapipe", 4),
        ("pose_detection", 0),
    ],
)
def test_googles_own_encodings_come_out_byte_for_byte(name: str, kept_dense: int) -> None:
    original = Model.read(real_model(name))
    model = Model.read(real_model(name))
    densify(model)
    again = Model.read(model.to_bytes())
    sparsify(again, GOOGLE)
    written = Model.read(again.to_bytes())
    mine = {t.name: t for t in written.subgraphs[0].tensors if t.sparsity is not None}
    theirs = {t.name: t for t in original.subgraphs[0].tensors if t.sparsity is not None}
    # A few of theirs are so small that the tables around them cost more than they save.
    assert len(theirs) - len(mine) == kept_dense
    for key, tensor in mine.items():
        a, b = encoding_of(tensor), encoding_of(theirs[key])
        assert (a.traversal_order, a.block_map) == (b.traversal_order, b.block_map)
        assert a.values.tobytes() == b.values.tobytes()
        for level, other in zip(a.levels, b.levels, strict=True):
            assert level.compressed == other.compressed
            if level.segments is not None and other.segments is not None:
                assert level.segments.dtype == other.segments.dtype
                assert level.segments.tobytes() == other.segments.tobytes()
            if level.indices is not None and other.indices is not None:
                assert level.indices.dtype == other.indices.dtype
                assert level.indices.tobytes() == other.indices.tobytes()


def test_long_lists_of_scales_are_written_once() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    x = graph.input((1, 6, 6, 8), "INT8", scale=0.05)
    filters = sparse_filters(builder.rng, (2048, 1, 1, 8), 0.9)
    graph.output(graph.conv2d(x, 2048, filters=filters, storage="int8"))
    data = builder.build()
    model = Model.read(data)
    (change,) = sparsify(model).weights
    plain = len(Model.read(data).to_bytes())
    assert plain - len(model.to_bytes()) >= change.bytes_before - change.bytes_after - 192


def test_who_reads_what_is_still_known_after_many_edits() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    x = graph.input((1, 6, 6, 32))
    shared = graph.constant(filters(graph))
    for number in range(12):
        x = graph.conv2d(x, 32, filters=shared if number % 3 == 0 else filters(graph))
    graph.output(x)
    data = builder.build()
    model = Model.read(data)
    model.subgraphs[0].consumers(model.subgraphs[0].tensors[0])
    for rewrite in (sparsify, densify):
        rewrite(model)
        known = model.subgraphs[0]
        fresh = Model.read(model.to_bytes()).subgraphs[0]
        assert [op.index for op in known.operators] == list(range(len(known.operators)))
        for tensor, twin in zip(known.tensors, fresh.tensors, strict=True):
            uses = [(use.operator.index, use.operand) for use in known.consumers(tensor)]
            assert uses == [(use.operator.index, use.operand) for use in fresh.consumers(twin)]
            producers = known.producer(tensor), fresh.producer(twin)
            assert [op and op.index for op in producers[:1]] == [
                op and op.index for op in producers[1:]
            ]
