"""Small values become zero, in real units, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.unit.rewrite.models import sparse_filters
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions


@pytest.mark.parametrize("storage", ["dense", "fp16"])
def test_floats_below_the_bound_become_zero(storage: str) -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    filters = sparse_filters(builder.rng, (32, 1, 1, 32), 0.5)
    stored = {"storage": storage, "bias_storage": storage}
    graph.output(graph.conv2d(graph.input((1, 6, 6, 32)), 32, filters=filters, **stored))
    before = Model.read(builder.build())
    after = Model.read(builder.build())
    result = sparsify(after, SparsifyOptions(zero_below=1.0))
    (change,) = result.weights
    old = before.subgraphs[0].tensors[change.weight.tensor].data
    new = decoded(Model.read(after.to_bytes()).subgraphs[0].tensors[change.weight.tensor])
    assert old is not None
    small = np.abs(old) < 1
    assert new is not None
    assert np.array_equal(new, np.where(small, 0, old))
    assert change.zeroed == np.count_nonzero(small & (old != 0))
    assert change.zeros == np.count_nonzero(small)


def test_quantized_values_count_in_real_units_channel_by_channel() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    stored = builder.rng.integers(-100, 101, (1, 3, 3, 256)).astype(np.int8)
    stored[builder.rng.random(stored.shape) < 0.6] = 0
    scales = np.linspace(0.001, 0.1, 256)
    weight = graph.constant(stored, quantized=(scales.tolist(), [0] * 256, 3))
    graph.output(graph.depthwise(graph.input((1, 6, 6, 256)), filters=weight, storage="int8"))
    after = Model.read(builder.build())
    result = sparsify(after, SparsifyOptions(zero_below=0.5))
    (change,) = result.weights
    new = decoded(Model.read(after.to_bytes()).subgraphs[0].tensors[change.weight.tensor])
    assert new is not None
    real = np.abs(stored.astype(np.float64)) * scales.astype(np.float32).astype(np.float64)
    assert np.array_equal(new, np.where(real < 0.5, 0, stored))
    assert change.zeroed > 0


def test_without_the_option_no_value_changes() -> None:
    builder = ModelBuilder(seed=1)
    graph = builder.graph()
    filters = sparse_filters(builder.rng, (32, 1, 1, 32), 0.9)
    filters[filters != 0] *= 1e-20
    graph.output(graph.conv2d(graph.input((1, 6, 6, 32)), 32, filters=filters))
    result = sparsify(Model.read(builder.build()))
    assert [change.zeroed for change in result.weights] == [0]
