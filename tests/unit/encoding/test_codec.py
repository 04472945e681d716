"""Encode and decode are inverse, costs are exact, the search finds the smallest."""

from __future__ import annotations

import itertools
import tracemalloc

import flatbuffers
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.densify import sparsity_of
from tests.support.nets.encodings import encodings, layouts, tensors
from tflite_sparse.encoding import (
    Layout,
    Occupancy,
    block_fill,
    candidates,
    cost,
    decode,
    encode,
    google_layout,
    index_type,
    nonzero_mask,
    search,
    slices,
    structure_nbytes,
    validate,
)
from tflite_sparse.errors import EncodingError


@given(st.data(), tensors())
def test_decoding_gives_back_what_was_encoded_in_any_layout(data, array):
    encoding = encode(array, data.draw(layouts(array.shape)))
    validate(encoding)
    result = decode(encoding)
    assert result.dtype == array.dtype
    assert np.array_equal(result, array)


@given(st.data(), tensors())
def test_a_count_that_is_known_changes_nothing_and_a_wrong_one_is_refused(data, array):
    layout = data.draw(layouts(array.shape))
    levels = cost(array, layout).levels
    assume(len(levels) == 1 and array.size)
    known = encode(array, layout, levels[0].indices)
    alone = encode(array, layout)
    assert known.values.tobytes() == alone.values.tobytes()
    assert all(
        np.array_equal(one.indices, other.indices) and np.array_equal(one.segments, other.segments)
        for one, other in zip(known.levels, alone.levels, strict=True)
        if one.compressed
    )
    for wrong in (levels[0].indices - 1, levels[0].indices + 1):
        if wrong >= 0:
            with pytest.raises(EncodingError, match="as many values as were counted"):
                encode(array, layout, wrong)


@given(encodings())
def test_every_index_width_decodes_to_the_same(pair):
    array, encoding = pair
    assert np.array_equal(decode(encoding), array)


@given(st.data(), tensors())
def test_the_cost_is_the_size_of_the_encoding_before_it_is_made(data, array):
    layout = data.draw(layouts(array.shape))
    encoding = encode(array, layout)
    estimate = cost(array, layout)
    assert estimate.nbytes == encoding.nbytes
    assert estimate.values == encoding.values.size
    compressed = [level for level in encoding.levels if level.compressed]
    for expected, level in zip(estimate.levels, compressed, strict=True):
        assert (expected.segments, expected.indices) == (level.segments.size, level.indices.size)
        assert expected.segment_type == level.segments.dtype
        assert expected.index_type == level.indices.dtype


@given(st.data(), tensors())
def test_no_tile_holds_more_smaller_ones_than_fit_into_it(data, array):
    def tile() -> tuple[int, ...]:
        divisors = ([d for d in range(1, n + 1) if n % d == 0] or [1] for n in array.shape)
        return tuple(data.draw(st.sampled_from(sizes)) for sizes in divisors)

    counts = Occupancy(array)
    for _ in range(3):
        asked = tile()
        fewest = counts.fewest_tiles(asked)
        assert fewest <= Occupancy(array).tiles(asked)
        # What was counted is known exactly from then on.
        assert counts.tiles(asked) == counts.fewest_tiles(asked)


@given(tensors())
def test_the_search_finds_nothing_larger_than_any_candidate(array):
    found = search(array, blocks=((2, 1), (1, 2), (2, 2)))
    for layout in candidates(array.shape, ()):
        assert found.cost.total <= cost(array, layout).total
    assert encode(array, found.layout).nbytes == found.cost.nbytes


@given(tensors(dtypes=("<f4", "<f2")))
def test_negative_zero_is_a_zero_and_comes_back_as_zero(array):
    signed = np.where(array == 0, -array.dtype.type(0), array).astype(array.dtype)
    assert np.array_equal(nonzero_mask(signed), array != 0)
    layout = google_layout(array.ndim)
    encoding = encode(signed, layout)
    assert encoding.values.size == np.count_nonzero(array)
    assert not np.signbit(decode(encoding)[array == 0]).any()


@pytest.mark.parametrize("dtype", ["<f4", "<f2"])
def test_special_floats_are_kept_bit_for_bit(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    array = np.array([[0, np.nan, np.inf, -np.inf], [tiny, -tiny, 0, 1]], dtype)
    result = decode(encode(array, google_layout(2)))
    assert result.tobytes() == array.tobytes()


def test_the_exporters_layout_compresses_the_last_dimension_and_has_no_block_map():
    array = np.zeros((2, 1, 1, 3), np.float32)
    array[0, 0, 0, 2] = 5
    array[1, 0, 0, :2] = 6, 7
    encoding = encode(array, google_layout(4))
    assert encoding.traversal_order == (0, 1, 2, 3)
    assert encoding.block_map is None
    assert [level.dense_size for level in encoding.levels] == [2, 1, 1, 0]
    assert encoding.levels[3].segments.tolist() == [0, 1, 3]
    assert encoding.levels[3].indices.tolist() == [2, 0, 1]
    assert encoding.values.tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("largest", "wanted"), [(255, "u1"), (256, "<u2"), (65535, "<u2"), (65536, "<i4")]
)
def test_segments_and_indices_choose_their_type_by_the_largest_value(largest, wanted):
    assert index_type(largest) == np.dtype(wanted)
    array = np.zeros((1, largest + 1), np.int8)
    array[0, largest] = 1
    level = encode(array, google_layout(2)).levels[1]
    assert level.indices.dtype == np.dtype(wanted)
    assert level.segments.dtype == np.dtype("u1")
    full = np.ones((1, largest), np.int8)
    assert encode(full, google_layout(2)).levels[1].segments.dtype == np.dtype(wanted)


def test_an_index_beyond_any_type_is_refused():
    with pytest.raises(EncodingError, match="index type"):
        index_type(2**31)


def test_compressing_the_short_dimension_keeps_indices_at_one_byte():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((64, 1, 1, 512)).astype(np.float32)
    array[rng.random(array.shape) < 0.8] = 0
    found = search(array)
    assert found.layout.traversal_order == (1, 2, 3, 0)
    assert found.cost.levels[0].index_type == np.dtype("u1")
    assert found.cost.nbytes < 0.9 * cost(array, google_layout(4)).nbytes


@pytest.mark.parametrize("block", [(4, 1), (1, 4), (2, 2), (1, 16), (16, 1)])
def test_zeros_in_blocks_are_found_and_stored_in_blocks(block):
    rng = np.random.default_rng(1)
    keep = rng.random((64 // block[0], 64 // block[1])) < 0.2
    array = np.kron(keep, np.ones(block)) * rng.standard_normal((64, 64))
    array = array.astype(np.float32).reshape(64, 1, 1, 64)
    found = search(array)
    divided = {
        (0, 3)[d > 0]: size
        for d, size in zip(found.layout.block_map, found.layout.block_shape, strict=True)
    }
    assert (divided.get(0, 1), divided.get(3, 1)) == block
    assert found.cost.total < search(array, blocks=None).cost.total
    assert np.array_equal(decode(encode(array, found.layout)), array)
    fullest = block_fill(array)
    assert any(item.block == block and item.fill == 1 for item in fullest)


def test_scattered_zeros_are_not_stored_in_blocks():
    rng = np.random.default_rng(2)
    array = rng.standard_normal((64, 64)).astype(np.float32)
    array[rng.random(array.shape) < 0.8] = 0
    assert search(array).layout.block_map == ()


def test_a_forced_block_is_used_and_one_that_does_not_divide_is_not():
    array = np.eye(8, dtype=np.float32)
    found = search(array, blocks=((4, 2),), only_blocks=True)
    assert found.layout.block_shape == (4, 2)
    assert search(array, blocks=((3, 1),), only_blocks=True) is None


def test_a_block_over_more_dimensions_is_taken_as_it_is():
    array = np.zeros((4, 3, 3, 4), np.float32)
    array[0] = 1
    found = search(array, blocks=((1, 3, 3, 1),), only_blocks=True)
    assert found.layout.block_map == (1, 2)
    assert np.array_equal(decode(encode(array, found.layout)), array)


def test_scalars_and_empty_tensors_have_no_encoding():
    assert search(np.array(1.0)) is None
    assert search(np.zeros((0, 4))) is None


def test_fill_is_counted_in_the_blocks_that_are_not_empty():
    array = np.zeros((4, 4), np.float32)
    array[:, 0] = 1
    array[0, 1] = 1
    fill = {item.block: item for item in block_fill(array)}
    assert fill[(4, 1)].blocks == 2
    assert fill[(4, 1)].fill == 5 / 8
    assert fill[(1, 4)].blocks == 4


def test_counts_are_shared_among_layouts():
    counts = Occupancy(np.eye(6, dtype=np.float32))
    assert counts.tiles((2, 1)) == 6
    assert counts.tiles((2, 2)) == 3
    assert counts.tiles((6, 6)) == 1
    assert counts.highest(0) == 5


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (google_layout(3), "rank 3"),
        (Layout((0, 0), (False, True)), "traversal order"),
        (Layout((0, 1), (False,)), "format"),
        (Layout((0, 1, 2), (False, True, False), (1,), (3,)), "divide"),
        (Layout((0, 1, 2), (False, True, True), (1,), (2,)), "dense"),
        (Layout((0, 1, 2, 3), (False, True, False, False), (1, 0), (2, 2)), "ascend"),
        (Layout((0, 2, 1), (False, True, False), (1,), (2,)), "traversal order"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(layout, message):
    with pytest.raises(EncodingError, match=message):
        encode(np.zeros((4, 4), np.float32), layout)


def test_decoding_into_a_given_array_overwrites_it_and_checks_it():
    array = np.eye(4, dtype=np.float32)
    encoding = encode(array, google_layout(2))
    out = np.full((4, 4), 7, np.float32)
    assert decode(encoding, out) is out
    assert np.array_equal(out, array)
    for wrong in (np.zeros((2, 8), np.float32), np.zeros((4, 4)), out.T[::-1]):
        with pytest.raises(EncodingError):
            decode(encoding, wrong)


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
