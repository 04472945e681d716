"""Maps of zeros: every number of them counted the slow way too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.weights import zero_maps as module
from tflite_sparse.inspection.weights.zero_maps import BINS, FULL, ZeroMap, zero_maps
from tflite_sparse.model import Model


def mapped(builder: ModelBuilder, **options: int) -> ZeroMap:
    (found,) = zero_maps(Model.read(builder.build()), **options)
    assert found is not None
    return found


def conv(filters: np.ndarray, storage: str = "dense") -> ModelBuilder:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 4, 4, filters.shape[3]))
    g.output(g.conv2d(x, filters.shape[0], filters=filters, storage=storage, bias=False))
    return builder


def masked(rows: int, columns: int, share: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = generator.uniform(0.5, 1.0, (rows, 1, 1, columns)).astype(np.float32)
    values[generator.random(values.shape) < share] = 0
    # Whole rows and whole blocks of nothing, and rows without a zero, are what is special.
    values[: rows // 4] = 0
    values[rows // 4 : rows // 3] = 1
    return values


def expect(found: ZeroMap, matrix: np.ndarray, side: int, corner: int) -> None:
    """Holds a map against a matrix of which it is to say where it is not zero."""
    rows, columns = matrix.shape
    cell = (math.ceil(rows / side), math.ceil(columns / side))
    assert ((found.rows, found.columns), found.cell) == ((rows, columns), cell)
    shares = 1 - matrix.mean(axis=1)
    expected = [0] * BINS
    for row in matrix:
        expected[min((columns - int(row.sum())) * BINS // columns, BINS - 1)] += 1
    assert list(found.histogram) == expected
    assert (found.empty, found.full) == ((~matrix.any(axis=1)).sum(), matrix.all(axis=1).sum())
    assert (found.least, found.most) == pytest.approx((shares.min(), shares.max()))
    density = []
    for top in range(0, rows, cell[0]):
        for left in range(0, columns, cell[1]):
            part = matrix[top : top + cell[0], left : left + cell[1]]
            between = min(1 + int(part.sum()) * (FULL - 1) // part.size, FULL - 1)
            density.append(0 if not part.any() else FULL if part.all() else between)
    assert list(found.density) == density
    assert len(density) == found.grid[0] * found.grid[1]
    shown = matrix[:corner, :corner]
    assert found.corner == shown.shape
    assert list(found.bits) == shown.reshape(-1).tolist()


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 1),
    st.integers(0, 100),
    st.integers(1, 12),
    st.sampled_from([1, 50, 1 << 20]),
)
def test_a_map_counts_what_is_there(
    rows: int, columns: int, share: float, seed: int, side: int, slab: int
) -> None:
    values = masked(rows, columns, share, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SLAB", slab)
        found = mapped(conv(values), side=side, corner=side)
    expect(found, values.reshape(rows, columns) != 0, side, side)


@pytest.mark.parametrize("storage", ["dense", "sparse", "fp16", "fp16-sparse"])
def test_storage_makes_no_difference(storage: str) -> None:
    values = masked(24, 30, 0.7, 1)
    expect(mapped(conv(values, storage), side=8, corner=16), values.reshape(24, 30) != 0, 8, 16)


def test_a_depthwise_filter_has_its_channels_last() -> None:
    values = np.random.default_rng(0).uniform(0.5, 1, (1, 3, 3, 8)).astype(np.float32)
    values[..., 2] = 0
    values[0, 1, 1, 5] = 0
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.depthwise(g.input((1, 8, 8, 8)), filters=values, bias=False))
    found = mapped(builder, side=4, corner=64)
    assert (found.rows, found.columns, found.empty) == (8, 9, 1)
    expect(found, np.moveaxis(values, 3, 0).reshape(8, 9) != 0, 4, 64)


def test_minus_zero_is_zero_and_a_tiny_value_is_not() -> None:
    values = np.ones((2, 1, 1, 3), np.float32)
    values[0, 0, 0] = (-0.0, 1e-38, np.nan)
    assert mapped(conv(values)).bits == (False, True, True, True, True, True)


def quantized(points: list[int], values: Any) -> ModelBuilder:
    builder = ModelBuilder()
    g = builder.graph()
    array = np.array(values, np.int8)
    weight = g.constant(array, quantized=([0.1] * len(points), points, 0))
    x = g.input((1, array.shape[1]), "INT8", scale=0.1)
    made = [((1, array.shape[0]), "INT8")]
    g.output(*g.op("FULLY_CONNECTED", [x, weight, None], made, quantized=([0.1], [0], 0)))
    return builder


def test_a_quantized_value_is_zero_at_the_zero_point_of_its_channel() -> None:
    found = mapped(quantized([0, 5], [[0, 5, 1], [0, 5, 1]]))
    assert found.bits == (False, True, True, True, False, True)
    assert mapped(quantized([5], [[0, 5, 1], [0, 5, 1]])).bits == (True, False, True) * 2


def test_what_cannot_be_read_has_no_map() -> None:
    builder = conv(masked(8, 8, 0.5, 0))
    model = Model.read(builder.build())
    tensor = next(t for t in model.subgraphs[0].tensors if t.shape == (8, 1, 1, 8))
    tensor.buffer.data = tensor.buffer.data[:-4].copy()
    assert zero_maps(model) == (None,)


def _sparse(builder: ModelBuilder) -> Any:
    return next(t for t in builder.graphs[0].table.tensors if t.sparsity is not None)


def test_what_cannot_be_decoded_has_no_map() -> None:
    builder = conv(masked(8, 8, 0.5, 0), "sparse")
    _sparse(builder).sparsity.dimMetadata[3].arrayIndices.values[0] = 200
    assert zero_maps(Model.read(builder.build())) == (None,)


def test_a_sparse_scalar_has_no_map() -> None:
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.add(g.input((1, 4)), g.constant(np.array([1], np.float32), storage="sparse")))
    scalar = _sparse(builder)
    scalar.shape = scalar.sparsity.traversalOrder = np.zeros(0, np.int32)
    scalar.sparsity.dimMetadata = []
    assert zero_maps(Model.read(builder.build())) == (None,)
