"""Weights that are left alone, each for its reason."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build
from tests.unit.rewrite.models import sparse_filters
from tflite_sparse.errors import EncodingError, ModelError, UsageError
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions, WeightSelection

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.rewrite.changes import Rewrite

SHAPE = (32, 1, 1, 32)


def filters(graph: GraphBuilder, zeros: float = 0.85) -> np.ndarray:
    return sparse_filters(graph.rng, SHAPE, zeros)


def run(net: Net, options: SparsifyOptions | None = None) -> tuple[Rewrite, Model]:
    model = Model.read(build(net, seed=1))
    return sparsify(model, options), model


def x_of(graph: GraphBuilder, kind: str = "FLOAT32") -> Value:
    return graph.input((1, 6, 6, 32), kind, scale=0.05 if kind == "INT8" else None)


def graph_output(g: GraphBuilder) -> tuple[Value, Value]:
    weight = g.constant(filters(g))
    return g.conv2d(x_of(g), 32, filters=weight), weight


def dequantized_output(g: GraphBuilder) -> tuple[Value, Value]:
    weight = g.constant(filters(g), storage="fp16")
    return g.conv2d(x_of(g), 32, filters=weight), weight


def metadata(g: GraphBuilder) -> Value:
    values = filters(g)
    buffer = g.model.buffer(values)
    g.model.metadata("weights", b"")
    g.model.table.metadata[-1].buffer = buffer
    return g.conv2d(x_of(g), 32, filters=g.constant(values, buffer=buffer))


def unlike(g: GraphBuilder) -> Value:
    values = filters(g)
    buffer = g.model.buffer(values)
    x = g.conv2d(x_of(g), 32, filters=g.constant(values, buffer=buffer))
    x = g.reshape(x, (36, 32))
    return g.fully_connected(x, 32, filters=g.constant(values.reshape(32, 32), buffer=buffer))


def zero_point(g: GraphBuilder) -> Value:
    stored = np.full(SHAPE, 3, np.int8)
    weight = g.constant(stored, quantized=([0.02], [3], 0))
    return g.conv2d(x_of(g, "INT8"), 32, filters=weight)


def short_buffer(g: GraphBuilder) -> Value:
    weight = g.constant(filters(g), buffer=g.model.buffer(np.ones(7, np.float32)))
    return g.conv2d(x_of(g), 32, filters=weight)


def negative_size(g: GraphBuilder) -> Value:
    weight = g.constant(filters(g))
    g.table.tensors[weight.index].shape = np.array([32, 1, 1, -32], np.int32)
    return g.conv2d(x_of(g), 32, filters=weight)


def zero_points_of_another_shape(g: GraphBuilder) -> Value:
    weight = g.constant(np.zeros(SHAPE, np.int8), quantized=([0.02] * 3, [0, 1, 2], 0))
    return g.conv2d(x_of(g, "INT8"), 32, filters=weight, bias=False)


def other_reader(g: GraphBuilder) -> tuple[Value, Value]:
    weight = g.constant(filters(g))
    return g.conv2d(x_of(g), 32, filters=weight), g.unary("ABS", weight)


def variable(g: GraphBuilder) -> Value:
    weight = g.constant(filters(g))
    g.table.tensors[weight.index].isVariable = True
    return g.fully_connected(g.reshape(x_of(g), (36, 32)), 32, filters=weight)


@pytest.mark.parametrize(
    ("net", "code"),
    [
        (graph_output, "graph-end"),
        (dequantized_output, "graph-end"),
        (metadata, "metadata"),
        (unlike, "shared-unlike"),
        (zero_point, "zero-point"),
        (short_buffer, "malformed"),
        (negative_size, "malformed"),
        (zero_points_of_another_shape, "malformed"),
        (other_reader, "reader"),
        (lambda g: g.conv2d(x_of(g), 32, filters=filters(g, 1.0)), "all-zero"),
        (lambda g: g.conv2d(x_of(g), 32, filters=filters(g, 0.1)), "not-smaller"),
        (lambda g: g.conv2d(x_of(g), 32, filters=filters(g), storage="int8"), "reader"),
        (lambda g: g.conv2d(x_of(g), 32, filters=filters(g), storage="sparse"), "sparse-already"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_weight_is_left_alone(net: Net, code: str) -> None:
    result, model = run(net)
    assert not result.changed
    assert code in {left.code for left in result.left}
    assert all(left.reason for left in result.left)
    # Untouched to the last byte: what is not changed is not edited either.
    assert not any(graph.edited for graph in model.subgraphs)


def test_a_variable_is_no_weight() -> None:
    result, _ = run(variable)
    assert not result.changed


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (SparsifyOptions(min_sparsity=0.9), "too-few-zeros"),
        (SparsifyOptions(min_saving=1 << 20), "saves-too-little"),
        (SparsifyOptions(min_ratio=0.99), "saves-too-little"),
        (SparsifyOptions(ops=("FULLY_CONNECTED",)), "not-asked"),
        (SparsifyOptions(selection=WeightSelection(only=("nothing*",))), "not-asked"),
        (SparsifyOptions(selection=WeightSelection(exclude=("CONV_2D",))), "not-asked"),
        (SparsifyOptions(selection=WeightSelection(exclude=("CONV_2D #0",))), "not-asked"),
        (SparsifyOptions(block=(5, 1)), "block"),
    ],
)
def test_what_the_options_rule_out(options: SparsifyOptions, code: str) -> None:
    result, _ = run(lambda g: g.conv2d(x_of(g), 32, filters=filters(g), name="conv"), options)
    assert not result.changed
    assert {left.code for left in result.left} == {code}


def test_a_saving_that_is_less_than_the_first_densify_costs_is_none() -> None:
    def net(g: GraphBuilder) -> Value:
        values = np.zeros((10, 1, 1, 32), np.float32)
        values.reshape(-1)[g.rng.permutation(320)[:145]] = 1.5
        return g.conv2d(x_of(g), 10, filters=values)

    result, _ = run(net)
    assert not result.changed
    assert {left.code for left in result.left} == {"saves-too-little"}


@pytest.mark.parametrize(
    "options",
    [
        {"layout": "best"},
        {"fc": "always"},
        {"min_sparsity": 1.5},
        {"zero_below": float("nan")},
        {"zero_below": -1.0},
        {"block": (0, 1)},
        {"layout": "google", "block": (4, 1)},
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SparsifyOptions(**options)


def test_a_sparse_tensor_that_claims_to_be_huge_is_refused() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    graph.output(graph.conv2d(x_of(graph), 32, filters=filters(graph), storage="sparse"))
    model = Model.read(builder.build())
    tensor = next(t for t in model.subgraphs[0].tensors if t.sparsity is not None)
    assert tensor.sparsity is not None
    # One row of 2^30 values, of which the few that there are lie at its start.
    for level in tensor.sparsity["dim_metadata"][:3]:
        level["dense_size"] = 1
    tensor.shape = (1, 1, 1, 2**30)
    segments = np.array([0, tensor.stored_values.size], np.int32)
    last = tensor.sparsity["dim_metadata"][3]
    last["array_segments"]["values"] = segments.astype(
        last["array_segments"]["values"].dtype, casting="unsafe"
    )
    last["array_indices"]["values"] = np.arange(tensor.stored_values.size).astype(
        last["array_indices"]["values"].dtype
    )
    with pytest.raises(EncodingError, match="asks for 4,294,967,296 bytes"):
        densify(model)


@pytest.mark.parametrize("limit", ["_PLAUSIBLE_BYTES", "_PLAUSIBLE_RATIO"])
def test_a_sparse_tensor_is_made_dense_where_it_is_small_or_much_is_stored_for_it(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    # The package has a function of the module's name.
    monkeypatch.setattr(importlib.import_module("tflite_sparse.rewrite.storage.densify"), limit, 0)
    assert _densified(lambda _: None).changed


def _densified(edit: Callable[[Model], None], storage: str = "sparse") -> Rewrite:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    x = x_of(graph, "INT8" if storage.startswith("int8") else "FLOAT32")
    y = graph.conv2d(x, 32, filters=filters(graph), storage=storage)
    graph.output(y)
    builder.signature("run", graph, {"x": x}, {"y": y})
    model = Model.read(builder.build())
    edit(model)
    return densify(Model.read(model.to_bytes()))


def _of_densify(model: Model) -> Any:
    return next(o for o in model.operators() if o.name == "DENSIFY")


def _set(name: str, value: Any) -> Callable[[Model], None]:
    """Sets a field of the tensor that DENSIFY writes."""
    return lambda model: _of_densify(model).outputs[0].table.__setitem__(name, value)


def _set_outputs(*more: int) -> Callable[[Model], None]:
    return lambda model: _of_densify(model).table.__setitem__("outputs", np.array(more, np.int32))


def _scale(model: Model) -> None:
    table = Table("QuantizationParameters")
    table["scale"] = np.array([0.25], np.float32)
    _of_densify(model).outputs[0].table["quantization"] = table


def _graph_output(model: Model) -> None:
    graph = model.subgraphs[0]
    graph.table["outputs"] = [graph.outputs[0].index, _of_densify(model).outputs[0].index]


def _signature_output(model: Model) -> None:
    (signature,) = model.signatures
    signature.outputs[0][1].subgraph.edited = True
    model.signatures[0] = signature._replace(outputs=(("y", _of_densify(model).outputs[0]),))


def _second_tensor(change: Callable[[Any], None]) -> Callable[[Model], None]:
    """Adds a tensor that reads the data of the weight in another way."""

    def edit(model: Model) -> None:
        weight = _of_densify(model).inputs[0]
        table = weight.table.copy()
        change(table)
        weight.subgraph.add_tensor(table, weight.buffer)

    return edit


def _move_the_last_value(table: Any) -> None:
    vector = table["sparsity"]["dim_metadata"][3]["array_indices"]
    values = vector["values"].copy()
    values[-1] = 30 if values[-1] == 31 else 31
    vector["values"] = values


def _output_with_data(model: Model) -> None:
    operator = _of_densify(model)
    (bias,) = [t for t in operator.subgraph.tensors if t.is_constant and t.shape == (32,)]
    operator.outputs[0].table["buffer"] = bias.buffer.index


def _metadata(model: Model) -> None:
    entry = Table("Metadata")
    entry["name"], entry["buffer"] = "weights", _of_densify(model).inputs[0].buffer.index
    model.file.root["metadata"] = [entry]


DENSIFY_STAYS = {
    "type": (lambda m: _of_densify(m).outputs[0].table.set_enum("type", "FLOAT16"), "another type"),
    "shape": (_set("shape", [32, 1, 32, 1]), "another type or shape"),
    "no output": (_set_outputs(), "0 outputs"),
    "two outputs": (_set_outputs(3, 4), "2 outputs"),
    "an output with data": (_output_with_data, "has data of its own"),
    "output of the graph": (_graph_output, "an output of the graph"),
    "output of a signature": (_signature_output, "an output of the graph"),
    "metadata": (_metadata, "the metadata refer to its buffer"),
    "read dense too": (_second_tensor(lambda t: t.__setitem__("sparsity", None)), "different ways"),
    "read with other indices": (_second_tensor(_move_the_last_value), "different ways"),
}


@pytest.mark.parametrize("name", DENSIFY_STAYS)
def test_a_densify_that_does_more_than_that_stays(name: str) -> None:
    edit, reason = DENSIFY_STAYS[name]
    result = _densified(edit)
    assert not result.changed
    assert reason in result.left[0].reason


@pytest.mark.parametrize(("storage", "changed"), [("sparse", True), ("int8-sparse", False)])
def test_only_integers_are_read_by_their_quantization(storage: str, changed: bool) -> None:
    assert _densified(lambda _: None, storage).changed
    assert _densified(_scale, storage).changed is changed


def test_a_densify_that_reads_itself_ends() -> None:
    def loop(model: Model) -> None:
        graph, dense = model.subgraphs[0], _of_densify(model).outputs[0]
        graph.add_operator(1, model.operator_code("DENSIFY"), [dense], [dense])

    with pytest.raises(ModelError, match="still in use"):
        _densified(loop)
