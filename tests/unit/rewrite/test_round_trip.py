"""densify(sparsify(m)) is m, sparsify is idempotent, and nothing ever grows."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.peers.object_api import differences, load
from tests.unit.rewrite.models import models
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.storage.options import SparsifyOptions

OPTIONS = st.sampled_from(
    [
        SparsifyOptions(),
        SparsifyOptions(layout="google"),
        SparsifyOptions(block=()),
        SparsifyOptions(block=(4, 1)),
        SparsifyOptions(fc="direct"),
        SparsifyOptions(min_sparsity=0.9),
    ]
)


def rewritten(data: bytes, options: SparsifyOptions | None = None) -> bytes:
    """What sparsify writes, proved on the way."""
    memory = io.BytesIO()
    save(sparsify(Model.read(data), options), memory)
    return memory.getvalue()


def densified(data: bytes) -> bytes:
    """What densify writes, proved on the way."""
    memory = io.BytesIO()
    save(densify(Model.read(data)), memory)
    return memory.getvalue()


def comparable(data: bytes) -> object:
    """The model but for the runtime that it asks for, and where its buffers lie."""
    model = load(data)
    for buffer in model.buffers:
        buffer.size = 0
    for entry in model.metadata or []:
        if entry.name == b"min_runtime_version":
            model.buffers[entry.buffer].data = None
    return model


@settings(deadline=None, max_examples=60)
@given(models(), OPTIONS)
def test_densify_undoes_sparsify(data: bytes, options: SparsifyOptions) -> None:
    back = densified(rewritten(data, options))
    assert differences(comparable(data), comparable(back)) == []


@settings(deadline=None, max_examples=60)
@given(models(), OPTIONS)
def test_the_meaning_stays_the_same(data: bytes, options: SparsifyOptions) -> None:
    assert diff(Model.read(data), Model.read(rewritten(data, options))).equal


@settings(deadline=None, max_examples=40)
@given(models(), OPTIONS)
def test_a_second_run_changes_nothing(data: bytes, options: SparsifyOptions) -> None:
    once = Model.read(rewritten(data, options))
    result = sparsify(once, options)
    assert not result.changed
    assert result.weights == ()


@settings(deadline=None, max_examples=60)
@given(models(), OPTIONS)
def test_nothing_grows(data: bytes, options: SparsifyOptions) -> None:
    # The same model written by the same writer is the measure: converters pad less.
    plain = len(Model.read(data).to_bytes())
    model = Model.read(data)
    result = sparsify(model, options)
    assert all(change.bytes_after < change.bytes_before for change in result.weights)
    written = len(model.to_bytes())
    assert written <= plain
    if result.changed and options.fc == "off":
        assert written < len(data)
    # What is told is what is saved, but for padding and what the first DENSIFY adds.
    told = sum(change.bytes_before - change.bytes_after for change in result.weights)
    assert plain - written >= told - 192


@settings(deadline=None, max_examples=40)
@given(models())
def test_the_same_model_gives_the_same_bytes(data: bytes) -> None:
    assert rewritten(data) == rewritten(data)


@settings(deadline=None, max_examples=40)
@given(models(), OPTIONS)
def test_values_are_kept_bit_for_bit(data: bytes, options: SparsifyOptions) -> None:
    before, after = Model.read(data), Model.read(rewritten(data, options))
    for graph, now in zip(before.subgraphs, after.subgraphs, strict=True):
        for tensor, twin in zip(graph.tensors, now.tensors, strict=False):
            assert (tensor.name, tensor.type, tensor.shape) == (twin.name, twin.type, twin.shape)
            a, b = decoded(tensor), decoded(twin)
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                assert np.array_equal(a, b)


@settings(deadline=None, max_examples=30)
@given(models())
def test_every_weight_is_accounted_for(data: bytes) -> None:
    model = Model.read(data)
    result = sparsify(model)
    weights = [c.weight for c in result.weights] + [left.weight for left in result.left]
    told = [(weight.subgraph, weight.tensor) for weight in weights]
    assert len(told) == len(set(told))
    sparse = {
        (graph.index, tensor.index)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.sparsity is not None
    }
    assert {(c.weight.subgraph, c.weight.tensor) for c in result.weights} <= sparse
    assert sum(c.weight.shared for c in result.weights) == len(sparse)
