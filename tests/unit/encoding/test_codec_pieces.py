"""The codec on what is large, deep or of any type: pieces, tiles, orders, memory."""

from __future__ import annotations

import itertools
import tracemalloc

import flatbuffers
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nets.encodings import layouts, tensors
from tests.support.peers.sparse_tables import sparsity_of
from tflite_sparse.encoding import (
    Layout,
    Occupancy,
    candidates,
    cost,
    decode,
    encode,
    google_layout,
    search,
    slices,
    structure_nbytes,
)


@pytest.mark.parametrize("shape", [(4096, 1024), (1, 1 << 22), (1 << 22, 1)])
@pytest.mark.parametrize("zeros", [0.5, 0.8])
def test_encoding_and_decoding_take_little_memory_beside_their_results(shape, zeros):
    rng = np.random.default_rng(3)
    array = rng.standard_normal(shape).astype(np.float32)
    array[rng.random(shape) < zeros] = 0
    for layout in (google_layout(2), Layout((1, 0), (False, True)), Layout((1, 0), (True, False))):
        tracemalloc.start()
        try:
            encoding = encode(array, layout)
            encoding_peak = tracemalloc.get_traced_memory()[1] - encoding.nbytes
            out = np.zeros_like(array)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            decode(encoding, out)
            decoding_peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert np.array_equal(out, array)
        # What it takes does not grow with the tensor: pieces of up to 2^20 elements, their places.
        longest = max(level.segments.size for level in encoding.levels if level.compressed)
        assert encoding_peak < 14 * 2**20 + 8 * longest
        assert decoding_peak < 20 * 2**20


@pytest.mark.parametrize(
    "layout",
    [
        google_layout(3),
        Layout((2, 1, 0), (False, False, True)),
        Layout((1, 2, 0), (False, True, False)),
        Layout((0, 1, 2), (True, False, False)),
        Layout((1, 0, 2), (True, True, False)),
        Layout((0, 2, 1), (False, False, False)),
        google_layout(3, (4, 1, 2)),
    ],
)
@pytest.mark.parametrize("dtype", ["<f4", "<f2", "i1"])
def test_tensors_of_many_pieces_come_back_in_every_kind_of_layout(layout, dtype):
    rng = np.random.default_rng(4)
    array = rng.integers(-9, 10, (68, 90, 120)).astype(dtype)
    array[rng.random(array.shape) < 0.7] = 0
    array[:, rng.random(90) < 0.5] = 0
    array[5:40] = 0
    encoding = encode(array, layout)
    assert cost(array, layout).nbytes == encoding.nbytes
    assert np.array_equal(decode(encoding), array)


@pytest.mark.parametrize(
    ("shape", "whole"),
    [
        ((256, 1, 1, 64), (0,)),
        ((64, 1, 1, 256), (3,)),
        ((32, 3, 3, 32), (1, 2)),
        ((1, 3, 3, 256), (1, 2)),
    ],
)
def test_slices_that_were_pruned_as_a_whole_are_stored_as_a_whole(shape, whole):
    rng = np.random.default_rng(5)
    kept = rng.random([1 if d in whole else size for d, size in enumerate(shape)]) < 0.5
    array = (rng.standard_normal(shape) * kept).astype(np.float16)
    found = search(array)
    at = found.layout.compressed.index(True)
    assert set(found.layout.traversal_order[at + 1 :]) >= set(whole)
    assert found.layout in set(slices(shape))
    assert "whole" in found.layout.describe(shape)
    assert found.cost.total < search(array, blocks=None).cost.total
    assert np.array_equal(decode(encode(array, found.layout)), array)


def test_the_search_counts_little_more_than_it_needs_and_misses_nothing_common():
    rng = np.random.default_rng(6)
    for dtype in ("<f4", "<f2", "i1"):
        for shape in ((64, 1, 1, 512), (300, 64), (16, 3, 3, 32)):
            array = rng.integers(-100, 100, shape).astype(dtype)
            array[rng.random(shape) < 0.8] = 0
            pairs = ((1, 2), (2, 1), (2, 2), (1, 4), (4, 1))
            full = [(a, *(1,) * (len(shape) - 2), b) for a, b in pairs]
            every = [*candidates(shape), *slices(shape)]
            every += [layout for block in full for layout in candidates(shape, block)]
            smallest = min(cost(array, layout).total for layout in every)
            assert search(array, blocks=pairs).cost.total == smallest


def test_tiles_larger_than_a_piece_are_counted_right():
    array = np.zeros((3000, 700), np.int8)
    array[2999, ::7] = 1
    counts = Occupancy(array)
    assert counts.tiles((3000, 1)) == 100
    assert counts.tiles((1500, 7)) == 100
    assert counts.tiles((1, 700)) == 1
    assert counts.tiles((3000, 700)) == 1
    row = Occupancy(array.reshape(1, -1))
    assert row.tiles((1, 7)) == 100
    assert row.highest(1) == 2999 * 700 + 693


def test_the_structure_is_counted_by_what_a_layout_needs():
    plain, blocked = google_layout(4), google_layout(4, (4, 1, 1, 4))
    assert structure_nbytes(blocked) > structure_nbytes(plain) > 0


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_every_order_and_compression_of_a_small_tensor_is_inverse(rank):
    array = (np.arange(2**rank) % 3).astype(np.int8).reshape((2,) * rank)
    for order in itertools.islice(itertools.permutations(range(rank)), 24):
        for compressed in itertools.product((False, True), repeat=rank):
            layout = Layout(order, compressed)
            assert np.array_equal(decode(encode(array, layout)), array)


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f8", "<c8", "<c16"]
)
def test_every_type_of_a_fixed_width_is_encoded(dtype):
    rng = np.random.default_rng(7)
    array = (rng.integers(0, 100, (6, 40)) * (rng.random((6, 40)) < 0.3)).astype(dtype)
    for layout in (google_layout(2), google_layout(2, (2, 4)), Layout((1, 0), (True, True))):
        encoding = encode(array, layout)
        assert cost(array, layout).nbytes == encoding.nbytes
        result = decode(encoding)
        assert result.dtype == array.dtype
        assert np.array_equal(result, array)


@given(st.data(), tensors())
def test_the_tables_of_an_encoding_take_no_more_than_is_said(data, array):
    layout = data.draw(layouts(array.shape))
    encoding = encode(array, layout)
    builder = flatbuffers.Builder(64)
    # Vectors in a file are aligned; the start and the end of this one are as well.
    builder.Finish(sparsity_of(encoding).Pack(builder))
    size = len(builder.Output())
    arrays = encoding.nbytes - encoding.values.nbytes
    assert size - arrays <= structure_nbytes(layout) <= size - arrays + 48 + 24 * array.ndim * 2
