"""Counting zeros of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.flatbuffer.source import Source
from tflite_sparse.model import Model
from tflite_sparse.model import zero_counts as counts
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.zero_counts import ZeroCounts, count

if TYPE_CHECKING:
    from pathlib import Path

NEAR = 1e-10


def _sparse(shape: tuple[int, ...], kind: str, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = generator.standard_normal(shape)
    values[generator.random(shape) < 0.6] = 0.0
    values[generator.random(shape) < 0.1] = -0.0
    return values.astype(kind)


@pytest.mark.parametrize(
    ("dtype", "kind"), [("<f4", "FLOAT32"), ("<f2", "FLOAT16"), ("<f8", "FLOAT64")]
)
def test_both_zeros_count_as_zero(dtype: str, kind: str) -> None:
    values = np.array([[0.0, -0.0, 1.0, np.nan, -np.inf]], dtype)
    assert count(values, kind, near=NEAR).zeros == 2


def test_near_zeros_are_counted_apart_from_zeros() -> None:
    values = np.array([[0.0, 1e-11, -1e-11, 1e-10, 2e-10, -0.0]], np.float32)
    counted = count(values, "FLOAT32", near=NEAR)
    assert (counted.zeros, counted.near) == (2, 2)


def test_a_bound_of_zero_finds_no_near_zeros() -> None:
    values = np.array([[0.0, 1e-40, 1.0]], np.float32)
    assert count(values, "FLOAT32", near=0.0).near == 0


def test_a_bound_above_the_range_of_the_type_takes_everything_finite() -> None:
    values = np.array([[0.0, 1.0, 60000.0]], np.float16)
    assert count(values, "FLOAT16", near=1e30).near == 2


def test_bfloat16_is_counted_by_its_bits() -> None:
    values = (np.array([[0.0, -0.0, 1e-20, 3.0]], np.float32).view(np.uint32) >> 16).astype("<u2")
    counted = count(values, "BFLOAT16", near=NEAR)
    assert (counted.zeros, counted.near) == (2, 1)


def test_integers_have_no_near_zeros() -> None:
    counted = count(np.array([[0, 1, -1, 0]], np.int8), "INT8", near=10.0)
    assert (counted.zeros, counted.near) == (2, None)


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_a_value_at_the_zero_point_of_its_channel_is_zero(axis: int) -> None:
    values = np.random.default_rng(1).integers(-2, 3, (8, 3, 3, 6)).astype(np.int8)
    points = np.arange(values.shape[axis]) % 3 - 1
    shape = [1, 1, 1, 1]
    shape[axis] = values.shape[axis]
    points = points.reshape(shape)
    assert count(values, "INT8", near=0, zero_points=points).zeros == np.sum(values == points)


@pytest.mark.parametrize("shape", [(8, 1, 1, 5), (7, 3), (6, 2, 2, 3), (3, 10)])
def test_blocks_are_counted_over_whole_groups_of_output_channels(shape: tuple[int, ...]) -> None:
    values = _sparse(shape, "<f4")
    counted = count(values, "FLOAT32", near=NEAR)
    assert counts.BLOCK_CHANNELS == (2, 4)
    for index, width in enumerate(counts.BLOCK_CHANNELS):
        whole = shape[0] // width * width
        filled = values[:whole].reshape(whole // width, width, values[0].size) != 0
        assert counted.blocks[index] == np.sum(filled.any(axis=1))
        assert counted.block_values[index] == np.sum(filled)
        assert (counted.blocks[index] > 0) == (whole > 0)


def test_one_output_channel_fills_no_block() -> None:
    counted = count(np.ones((1, 9), np.float32), "FLOAT32", near=NEAR)
    assert (counted.blocks, counted.block_values) == ((0, 0), (0, 0))


@pytest.mark.parametrize("shape", [(37, 1, 1, 21), (5, 1000), (3, 333, 2), (64, 1)])
def test_the_size_of_a_slab_changes_nothing(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = _sparse(shape, "<f4")
    whole = count(values, "FLOAT32", near=0.5)
    monkeypatch.setattr(counts, "_SLAB", 16)
    assert count(values, "FLOAT32", near=0.5) == whole


def test_values_that_are_not_aligned_are_counted_in_place() -> None:
    values = _sparse((64, 33), "<f4")
    raw = np.empty(values.nbytes + 1, np.uint8)
    raw[1:] = values.view(np.uint8).reshape(-1)
    shifted = raw[1:].view("<f4").reshape(values.shape)
    assert count(shifted, "FLOAT32", near=NEAR) == count(values, "FLOAT32", near=NEAR)


@pytest.mark.parametrize("shape", [(), (0,), (0, 4), (4, 0)])
def test_weights_without_values_or_dimensions_are_counted(shape: tuple[int, ...]) -> None:
    counted = count(np.zeros(shape, np.float32), "FLOAT32", near=NEAR)
    assert counted.zeros == counted.elements == int(np.prod(shape))


def test_a_constant_is_counted_once_until_it_is_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5))
    data = builder.build()
    model = Model.read(data)
    filters = next(op for op in model.operators() if op.name == "CONV_2D").inputs[1]
    twin = model.copy().main.tensors[filters.index]
    asked = []
    monkeypatch.setattr(counts, "count", lambda *a, **k: asked.append(a) or count(*a, **k))
    zeros = ZeroCounts()
    assert zeros.of(filters, near=NEAR).zeros == 32
    assert zeros.of(filters) == zeros.of(twin)
    assert len(asked) == 1
    assert zeros.of(filters, near=1e9).near == 32
    assert len(asked) == 2
    filters.buffer.data = np.ones(64, np.float32)
    assert zeros.of(filters).zeros == 0
    assert zeros.of(twin).zeros == 32


@pytest.mark.parametrize("storage", ["sparse", "fp16-sparse"])
@pytest.mark.parametrize("channels", [8, 6, 7])
def test_a_sparse_constant_counts_as_its_dense_value_does(storage: str, channels: int) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    values = _sparse((channels, 1, 1, 8), "<f4")
    values[0] = -0.0
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), channels, filters=values, storage=storage))
    model = Model.read(builder.build())
    stored = next(tensor for tensor in model.main.tensors if tensor.sparsity is not None)
    dense = decoded(stored)
    assert dense is not None
    assert ZeroCounts().of(stored) == count(dense, stored.type)


def test_what_was_counted_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 8)), 8, zeros=0.5))
    path = tmp_path / "model.tflite"
    path.write_bytes(builder.build())
    passed: list[int] = []
    monkeypatch.setattr(Source, "passed", lambda _, nbytes: passed.append(nbytes))
    filters = next(op for op in Model.read(path).operators() if op.name == "CONV_2D").inputs[1]
    ZeroCounts().of(filters)
    assert sum(passed) == 8 * 8 * 4


def test_one_zero_point_may_stand_for_a_value_without_dimensions() -> None:
    assert count(np.array(5, np.int8), "INT8", zero_points=np.array(5)).zeros == 1
