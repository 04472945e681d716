"""Each thing that the runtime would misread is refused, and its nearest good neighbour is not."""

from __future__ import annotations

import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nets.encodings import encodings, with_level
from tflite_sparse.encoding import Layout, Level, SparseEncoding, decode, encode, validate
from tflite_sparse.errors import EncodingError, shown_shape

ARRAY = np.array([[0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 0, 0], [4, 0, 5, 6]], np.float32)


def good() -> SparseEncoding:
    return encode(ARRAY, Layout((0, 1), (False, True)))


def blocked() -> SparseEncoding:
    return encode(ARRAY, Layout((0, 1, 2, 3), (False, True, False, False), (0, 1), (2, 2)))


def test_the_encodings_that_the_cases_change_are_good():
    for encoding in (good(), blocked()):
        validate(encoding)
        assert np.array_equal(decode(encoding), ARRAY)


def segments(*values: int) -> SparseEncoding:
    return with_level(good(), 1, segments=np.array(values, np.int32))


def indices(*values: int) -> SparseEncoding:
    return with_level(good(), 1, indices=np.array(values, np.int32))


CASES = {
    "segments that fall": (segments(0, 3, 2, 3, 6), "before segment"),
    "segments that start late": (segments(1, 2, 3, 3, 6), "not at 0"),
    "a segment too few": (segments(0, 2, 3, 6), "segments"),
    "a segment too many": (segments(0, 2, 3, 3, 6, 6), "segments"),
    "segments that end early": (segments(0, 2, 3, 3, 5), "segments end at 5"),
    "segments that end late": (segments(0, 2, 3, 3, 7), "segments end at 7"),
    "an index out of range": (indices(1, 3, 0, 0, 2, 4), "outside the 4 positions"),
    "a negative index": (indices(-1, 3, 0, 0, 2, 3), "index -1"),
    "indices that fall": (indices(3, 1, 0, 0, 2, 3), "ascend"),
    "an index twice": (indices(1, 3, 0, 0, 2, 2), "ascend"),
    "a value too few": (msgspec.structs.replace(good(), values=good().values[:-1]), "values"),
    "a value too many": (
        msgspec.structs.replace(good(), values=np.append(good().values, np.float32(1))),
        "values",
    ),
    "no indices": (with_level(good(), 1, indices=None), "no indices"),
    "indices of eight bytes": (
        with_level(good(), 1, indices=good().levels[1].indices.astype(np.int64)),
        "not of the format",
    ),
    "a dense size unlike the shape": (with_level(good(), 0, dense_size=3), "dense size 3"),
    "a traversal order that is no permutation": (
        msgspec.structs.replace(good(), traversal_order=(0, 0)),
        "permutation",
    ),
    "a traversal order too short": (
        msgspec.structs.replace(good(), traversal_order=(0,)),
        "traversal order has 1",
    ),
    "a level too few": (msgspec.structs.replace(good(), levels=good().levels[:1]), "1 levels"),
    "no segments at all": (segments(), "0 segments"),
    "a negative segment": (segments(0, -1, 3, 3, 6), "before segment"),
    "values of two dimensions": (
        msgspec.structs.replace(good(), values=good().values[None]),
        "2 dimensions",
    ),
    "values that are no numbers": (
        msgspec.structs.replace(good(), values=good().values.astype(object)),
        "object",
    ),
    "segments of two dimensions": (
        with_level(good(), 1, segments=good().levels[1].segments[None]),
        "not of the format",
    ),
    "a dense level of negative size": (with_level(good(), 0, dense_size=-4), "dense size -4"),
    "a block of no size": (with_level(blocked(), 3, dense_size=0), "blocks of 0"),
    "a block of negative size": (with_level(blocked(), 2, dense_size=-2), "blocks of -2"),
    "a block map without block levels": (
        msgspec.structs.replace(good(), block_map=(0,)),
        "traversal order has 2",
    ),
    "block levels without a block map": (
        msgspec.structs.replace(blocked(), block_map=None),
        "traversal order has 4",
    ),
    "a dimension divided twice": (msgspec.structs.replace(blocked(), block_map=(1, 1)), "ascend"),
    "more dimensions than anybody has": (
        msgspec.structs.replace(good(), shape=(1,) * 10**6),
        "1,000,000 dimensions",
    ),
    "a longer traversal order than anybody has": (
        msgspec.structs.replace(good(), traversal_order=tuple(range(10**6))),
        "1,000,000 dimensions",
    ),
    "a negative shape": (msgspec.structs.replace(good(), shape=(4, -4)), "negative"),
    "a shape whose size overflows": (
        msgspec.structs.replace(good(), shape=(2**20, 2**20)),
        "too large",
    ),
    "a size beyond all numbers beside an empty dimension": (
        SparseEncoding((2**70, 0), (0, 1), None, (Level(2**70), Level(0)), np.zeros(0, np.float32)),
        "too large",
    ),
    "a block map that falls": (msgspec.structs.replace(blocked(), block_map=(1, 0)), "ascend"),
    "a block map that names no dimension": (
        msgspec.structs.replace(blocked(), block_map=(0, 2)),
        "not there",
    ),
    "blocks that do not divide": (
        msgspec.structs.replace(blocked(), levels=(*blocked().levels[:2], Level(3), Level(2))),
        "divide",
    ),
    "a block before the last dimension": (
        msgspec.structs.replace(blocked(), traversal_order=(0, 2, 1, 3)),
        "misreads",
    ),
    "a compressed block": (
        with_level(blocked(), 3, segments=np.zeros(2, "u1"), indices=np.zeros(0, "u1")),
        "block dimension and compressed",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_encoding_is_refused_with_its_reason(name):
    encoding, message = CASES[name]
    with pytest.raises(EncodingError, match=message):
        validate(encoding)


def test_block_dimensions_in_an_order_that_the_runtime_mixes_up_are_refused():
    array = np.arange(4 * 6 * 8, dtype=np.float32).reshape(4, 6, 8)
    straight = encode(array, Layout((0, 1, 2, 3, 4, 5), (False,) * 6, (0, 1, 2), (2, 3, 4)))
    validate(straight)
    turned = msgspec.structs.replace(
        straight,
        traversal_order=(0, 1, 2, 4, 5, 3),
        levels=(*straight.levels[:3], Level(3), Level(4), Level(2)),
    )
    with pytest.raises(EncodingError, match="mixes up"):
        validate(turned)


def test_two_swapped_block_dimensions_are_read_right_and_accepted():
    swapped = msgspec.structs.replace(
        encode(ARRAY, Layout((0, 1, 2, 3), (False,) * 4, (0, 1), (2, 4))),
        traversal_order=(0, 1, 3, 2),
        levels=(Level(2), Level(1), Level(4), Level(2)),
        values=np.arange(16, dtype=np.float32),
    )
    validate(swapped)
    # Walked by hand: rows come in pairs, and within a pair the columns before the rows.
    assert decode(swapped)[:2].tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_indices_may_fall_where_a_segment_starts_even_after_empty_segments():
    array = np.zeros((4, 4), np.int8)
    array[0, 3] = array[3, 0] = 1
    encoding = encode(array, Layout((0, 1), (False, True)))
    validate(encoding)
    assert np.array_equal(decode(encoding), array)


def test_what_an_encoding_claims_costs_no_memory():
    claim = SparseEncoding(
        shape=(2**15, 2**15),
        traversal_order=(0, 1),
        block_map=None,
        levels=(Level(2**15), Level(2**15)),
        values=np.zeros(4, np.float32),
    )
    tracemalloc.start()
    try:
        with pytest.raises(EncodingError, match="values"):
            decode(claim)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


NEIGHBOURS = {
    "segments of a wider type": segments(0, 2, 3, 3, 6),
    "indices of a wider type": indices(1, 3, 0, 0, 2, 3),
    "the last position": indices(0, 1, 3, 0, 1, 3),
    "an empty first segment": segments(0, 0, 1, 2, 6),
    "everything in the first segment": msgspec.structs.replace(
        with_level(
            good(), 1, segments=np.array([0, 4, 4, 4, 4], "u1"), indices=np.arange(4, dtype="<u2")
        ),
        values=np.arange(4, dtype=np.int8),
    ),
    "zeros that are stored": msgspec.structs.replace(good(), values=np.zeros(6, np.float32)),
    "a size on a compressed level": with_level(good(), 1, dense_size=99),
    "an empty block map": msgspec.structs.replace(good(), block_map=()),
    "a scalar": SparseEncoding((), (), None, (), np.ones(1, np.float32)),
    "no elements": SparseEncoding((0, 4), (0, 1), None, (Level(0), Level(4)), np.zeros(0, "i1")),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_what_is_nearly_malformed_but_read_right_is_accepted(name):
    encoding = NEIGHBOURS[name]
    if name == "an empty first segment":
        encoding = with_level(encoding, 1, indices=np.array([1, 3, 0, 1, 2, 3], np.int32))
    validate(encoding)
    assert decode(encoding).shape == encoding.shape


def test_an_empty_tensor_with_huge_levels_costs_nothing():
    levels = (
        Level(segments=np.array([0, 1], "u1"), indices=np.zeros(1, "u1")),
        Level(2**31 - 1),
        Level(0),
    )
    claim = SparseEncoding((1, 2**31 - 1, 0), (0, 1, 2), None, levels, np.zeros(0, np.float32))
    tracemalloc.start()
    try:
        assert decode(claim).shape == claim.shape
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_tensor_that_is_too_large_for_the_memory_is_an_error_that_says_so(monkeypatch):
    def no_memory(*_: object) -> None:
        raise MemoryError

    encoding = good()
    monkeypatch.setattr(np, "zeros", no_memory)
    with pytest.raises(EncodingError, match="64 bytes, more memory than there is"):
        decode(encoding)


@given(encodings(max_rank=3), st.data())
def test_a_damaged_encoding_is_refused_or_decodes_to_its_shape(pair, data):
    _, encoding = pair
    number = data.draw(st.integers(0, len(encoding.levels) - 1))
    level = encoding.levels[number]
    if level.segments is None:
        encoding = with_level(encoding, number, dense_size=data.draw(st.integers(-1, 9)))
    else:
        name = data.draw(st.sampled_from(("segments", "indices")))
        array = getattr(level, name).astype(np.int32)
        if array.size:
            array[data.draw(st.integers(0, array.size - 1))] = data.draw(st.integers(-2, 300))
        encoding = with_level(encoding, number, **{name: array})
    try:
        result = decode(encoding)
    except EncodingError as error:
        message = str(error)
        assert "\n" not in message
    else:
        assert result.shape == encoding.shape


def test_a_shape_of_thousands_of_dimensions_is_shown_by_its_beginning():
    assert shown_shape((1, 2)) == "[1, 2]"
    assert shown_shape(range(8)) == "[0, 1, 2, 3, 4, 5, 6, 7]"
    assert shown_shape([1] * 5000) == "[1, 1, 1, 1, 1, 1, 1, 1, ...]"
