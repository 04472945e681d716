"""Weights stored as int8 or fp16 compute on LiteRT what the rounded weights compute."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.emulator import needs_emulator
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import build, head, trunk
from tests.support.nets.weight_readers import one_reader
from tests.support.outputs import outputs
from tests.support.real_models import real_model
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.storage.store_values import SparsifyValues
from tflite_sparse.rewrite.storage.unpack_values import DensifyValues
from tflite_sparse.rewrite.writing.save import save
from tflite_sparse.runtime.litert.driver import profile_many
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.rewrite.changes import Rewrite

KINDS = [StoredValues.INT8, StoredValues.FP16]
READERS = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"]


def written(result: Rewrite) -> bytes:
    memory = io.BytesIO()
    save(result, memory)
    return memory.getvalue()


def pair(data: bytes, kind: StoredValues) -> tuple[bytes, bytes]:
    """A model with its weights in other numbers, and the same with these as fp32, dense."""
    small = written(SparsifyValues(ValuesOptions(kind)).run(Model.read(data)))
    wide = DensifyValues(DensifyOptions(values=StoredValues.FP32)).run(Model.read(small))
    return small, written(wide)


def same(small: bytes, wide: bytes, *, delegate: bool) -> bool:
    found = outputs(small, wide, delegate=delegate)
    assert found[0] is not None
    assert found[1] is not None
    return all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("delegate", [True, False], ids=["xnnpack", "tflite"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("stored", ["FLOAT32", "FLOAT16"])
@pytest.mark.parametrize("name", READERS)
def test_every_reader_computes_with_the_rounded_weights(
    name: str, stored: str, kind: StoredValues, delegate: bool
) -> None:
    data = one_reader(name, stored, "FLOAT32", 1)
    small, wide = pair(data, kind)
    # Some are so small that they keep their numbers, and are stored sparse only.
    (weight,) = find_weights(Model.read(small))
    assert weight.tensor.type in (kind.tensor_type, stored)
    assert weight.tensor.type == kind.tensor_type or weight.tensor.sparsity is not None
    assert same(small, wide, delegate=delegate)


@pytest.mark.parametrize("delegate", [True, False], ids=["xnnpack", "tflite"])
def test_the_smallest_and_the_largest_of_fp16_compute(delegate: bool) -> None:
    # 2e-8 rounds to zero, 6e-8 is the smallest below the normal numbers; 65,519 rounds to 65,504.
    rng = np.random.default_rng(0)
    filters = rng.choice([2e-8, 6e-8, 3e-6, 65504.0, 65519.0, 0, 0, 0], (64, 1, 1, 64))
    filters[:32] = np.where(filters[:32] < 1, filters[:32], 0)
    weight, bias = filters.astype(np.float32), np.zeros(64, np.float32)
    data = build(lambda g: g.conv2d(g.input((1, 8, 8, 64)), 64, filters=weight, bias=bias))
    small, wide = pair(data, StoredValues.FP16)
    (stored,) = find_weights(Model.read(small))
    assert (stored.tensor.type, stored.tensor.sparsity is not None) == ("FLOAT16", True)
    assert same(small, wide, delegate=delegate)
    (found,) = outputs(small, delegate=delegate)
    assert found is not None
    faint = np.abs(found[0].reshape(-1, 64)[:, :32])
    # Nobody flushed them to zero.
    assert 0 < faint.max() < 1e-2


def net(storage: str = "dense") -> bytes:
    """A trunk that goes sparse, with a head: an entry, a depthwise and 1x1 convolutions."""
    builder = ModelBuilder(seed=3)
    graph = builder.graph()

    def more(g: GraphBuilder, x: Value) -> Value:
        x = g.depthwise(x)
        return g.conv2d(x, 64, zeros=0.8, storage=storage, bias_storage=storage)

    graph.output(head(graph, more(graph, trunk(graph, storage=storage))))
    return builder.build()


@needs_emulator
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_net_runs_sparse_and_as_planned(kind: StoredValues) -> None:
    small, wide = pair(net(), kind)
    model = Model.read(small)
    found = plan(model.main, "x86-noavx")
    assert found.outcome.value == "sparse"
    (profile,) = profile_many([small], emulate=True)
    planned = [name for op in found.operators for name in op.executed]
    assert sorted(op.name for op in profile.operators if op.delegated) == sorted(planned)
    assert sum(op.sparse for op in profile.operators) == 2
    sparse, dense = outputs(small, wide, emulated=True)
    assert sparse is not None
    assert dense is not None
    assert all(np.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(sparse, dense, strict=True))


@pytest.mark.parametrize("delegate", [True, False], ids=["xnnpack", "tflite"])
@pytest.mark.parametrize("name", ["face_landmark", "hand_landmark_lite", "pose_detection"])
def test_a_real_model_computes_with_the_rounded_weights(name: str, delegate: bool) -> None:
    data = real_model(name).read_bytes()
    small, wide = pair(data, StoredValues.INT8)
    assert len(small) < 0.65 * len(data)
    assert same(small, wide, delegate=delegate)
