"""Encode and decode are inverse, costs are exact, the search finds the smallest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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
