"""What `densify --values` unpacks, that filters keep biases of their kind, and what it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.support.nets.small_nets import build
from tests.unit.rewrite.models import models
from tests.unit.rewrite.storage.values import FP16, INT8, TO_FP32, stored, written
from tflite_sparse.model import Model
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
from tflite_sparse.storage.options import DensifyOptions, WeightSelection
from tflite_sparse.storage.values.options import StoredValues


def halves(g, storage="fp16-sparse"):
    """Three 1x1 convolutions with fp16 filters and biases."""
    x = g.input((1, 8, 8, 32))
    for number in range(3):
        x = g.conv2d(x, 32, zeros=0.8, storage=storage, name=f"conv{number}", bias_storage="fp16")
    return x


def only(*names: str) -> DensifyOptions:
    return DensifyOptions(WeightSelection(names), StoredValues.FP32)


def kinds(model: Model) -> list[tuple[str, str]]:
    """Types of filter and bias of every convolution, as the file stores them."""
    uses = [
        (trace_constant(operator, 1), trace_constant(operator, 2))
        for operator in model.operators()
        if operator.name == "CONV_2D"
    ]
    return [(a.constant.type, b.constant.type) for a, b in uses if a and b]


@pytest.mark.parametrize("run", [lambda m: DensifyValues(TO_FP32).run(m), None])
def test_every_weight_is_told_once_by_its_index_in_the_file(run) -> None:
    data = build(halves)
    result = densify(Model.read(data), TO_FP32) if run is None else run(Model.read(data))
    tensors = Model.read(data).main.tensors
    assert [tensors[change.weight.tensor].name for change in result.weights] == [
        change.weight.name for change in result.weights
    ]
    assert len({change.weight.tensor for change in result.weights}) == len(result.weights) == 6
    filters = [change for change in result.weights if change.weight.name.endswith("filter")]
    assert [change.bytes_after for change in filters] == [4 * 32 * 32] * 3
    assert all(change.before.startswith("CSR") for change in filters)


@settings(max_examples=10)
@given(data=models())
def test_of_models_that_share_weights_each_is_told_by_its_index(data: bytes) -> None:
    for options in (INT8, FP16):
        small, _ = stored(data, options)
        names = [[tensor.name for tensor in graph.tensors] for graph in small.subgraphs]
        told = DensifyValues(TO_FP32).run(small).weights
        places = [(change.weight.subgraph, change.weight.tensor) for change in told]
        assert len(set(places)) == len(places)
        assert [names[graph][tensor] for graph, tensor in places] == [c.weight.name for c in told]


@pytest.mark.parametrize("storage", ["fp16", "fp16-sparse"])
def test_a_bias_goes_with_the_filter_that_was_asked_for(storage: str) -> None:
    data = build(lambda g: halves(g, storage))
    model = Model.read(written(DensifyValues(only("conv1/filter")).run(Model.read(data))))
    assert kinds(model) == [
        ("FLOAT16", "FLOAT16"),
        ("FLOAT32", "FLOAT32"),
        ("FLOAT16", "FLOAT16"),
    ]


def test_a_bias_stays_with_a_filter_that_was_not() -> None:
    data = build(lambda g: halves(g, "fp16"))
    bias = Model.read(data).main.operators[-1].inputs[2]
    use = trace_constant(Model.read(data).main.operators[-1], 2)
    assert bias is not None
    assert use is not None
    result = DensifyValues(only(use.constant.name)).run(Model.read(data))
    assert not result.changed
    assert [left.reason for left in result.left if left.code == "bias"] == [
        "the filter of its operator stays fp16, and it with that"
    ]


def test_filters_that_share_a_bias_with_one_that_stays_stay() -> None:
    def net(g):
        bias = g.weight(g.rng.standard_normal(32).astype("float32"), "fp16")
        x = g.input((1, 8, 8, 32))
        for number in range(2):
            x = g.conv2d(x, 32, storage="fp16", name=f"conv{number}", bias=bias)
        return x

    data = build(net)
    result = DensifyValues(only("conv1/filter")).run(Model.read(data))
    assert not result.changed
    assert {left.code for left in result.left} == {"not-asked", "bias"}
    both = Model.read(written(DensifyValues(only("*/filter")).run(Model.read(data))))
    assert kinds(both) == [("FLOAT32", "FLOAT32")] * 2
