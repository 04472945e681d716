"""What is accepted is read cleanly by a plain walk over the levels, the way the runtime walks."""

from __future__ import annotations

import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nets.encodings import encodings, grown_encodings, with_level
from tests.support.walk import MisreadError, walk
from tflite_sparse.encoding import Level, SparseEncoding, decode, validate
from tflite_sparse.errors import EncodingError

HUGE = st.sampled_from((-(2**31), -1, 0, 1, 2, 255, 2**16, 2**31 - 1, 2**40, 2**70))


@given(grown_encodings())
def test_decode_agrees_with_the_walk_bit_for_bit(encoding):
    assert decode(encoding).tobytes() == walk(encoding).tobytes()


@st.composite
def damaged(draw: st.DrawFn) -> SparseEncoding:
    """An encoding with one to three changes of any kind."""
    encoding = draw(st.one_of(grown_encodings(bits=False), encodings(3).map(lambda p: p[1])))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("level", "order", "map", "shape", "values", "drop")))
        small = st.integers(-1, 9)
        if kind == "level" and encoding.levels:
            number = draw(st.integers(0, len(encoding.levels) - 1))
            encoding = damaged_level(draw, encoding, number)
        elif kind == "order":
            order = draw(st.permutations(encoding.traversal_order))
            if draw(st.booleans()) and order:
                order[draw(st.integers(0, len(order) - 1))] = draw(small)
            encoding = msgspec.structs.replace(encoding, traversal_order=tuple(order))
        elif kind == "map":
            size = st.integers(0, len(encoding.shape) + 1)
            block_map = draw(st.none() | st.lists(size, max_size=4).map(tuple))
            encoding = msgspec.structs.replace(encoding, block_map=block_map)
        elif kind == "shape":
            shape = list(encoding.shape)
            shape[draw(st.integers(0, len(shape) - 1))] = draw(small)
            encoding = msgspec.structs.replace(encoding, shape=tuple(shape))
        elif kind == "values":
            values = np.resize(encoding.values, max(0, encoding.values.size + draw(small)))
            encoding = msgspec.structs.replace(encoding, values=values)
        else:
            encoding = msgspec.structs.replace(encoding, levels=encoding.levels[:-1])
    return encoding


def damaged_level(draw: st.DrawFn, encoding: SparseEncoding, number: int) -> SparseEncoding:
    level = encoding.levels[number]
    if level.segments is None or draw(st.booleans()):
        return with_level(encoding, number, dense_size=draw(st.integers(-1, 9)))
    name = draw(st.sampled_from(("segments", "indices")))
    array = getattr(level, name).astype(np.int32)
    if array.size:
        array[draw(st.integers(0, array.size - 1))] = draw(st.integers(-2, 20))
    array = array[: array.size - draw(st.integers(0, 1))]
    return with_level(encoding, number, **{name: array})


@given(damaged())
def test_a_damaged_encoding_is_refused_or_is_walked_cleanly_and_to_the_same_tensor(encoding):
    try:
        result = decode(encoding)
    except EncodingError as error:
        message = str(error)
        assert "\n" not in message
    else:
        assert result.tobytes() == walk(encoding).tobytes()


INTS = st.lists(HUGE, max_size=5).map(tuple)


@st.composite
def nonsense(draw: st.DrawFn) -> SparseEncoding:
    """Claims of any size, with next to nothing stored."""
    levels = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            levels.append(Level(draw(HUGE)))
            continue
        kind = draw(st.sampled_from(("u1", "<u2", "<i4", "<i8", "<f4")))
        arrays = [
            np.array(draw(st.lists(st.integers(0, 200), max_size=4))).astype(kind) for _ in range(2)
        ]
        levels.append(Level(draw(HUGE), *arrays))
    return SparseEncoding(
        shape=draw(INTS),
        traversal_order=draw(st.integers(0, 5).flatmap(lambda n: st.permutations(range(n))))
        if draw(st.booleans())
        else draw(INTS),
        block_map=draw(st.none() | INTS),
        levels=tuple(levels),
        values=np.zeros(draw(st.integers(0, 4)), draw(st.sampled_from(("<f4", "i1", "O")))),
    )


@given(nonsense())
def test_nonsense_is_refused_and_costs_no_memory(encoding):
    tracemalloc.start()
    try:
        validate(encoding)
    except EncodingError:
        pass
    else:
        assert encoding.values.size <= 4
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2_000_000


def test_the_walk_itself_finds_each_kind_of_misreading():
    segments, indices = np.array([0, 1, 2], "u1"), np.array([0, 1], "u1")
    levels = (Level(2), Level(segments=segments, indices=indices))
    good = SparseEncoding((2, 2), (0, 1), None, levels, np.ones(2, np.float32))
    assert walk(good).tolist() == [[1, 0], [0, 1]]
    changes = (
        {"values": good.values[:1]},
        {"values": np.ones(3, np.float32)},
        {"levels": (Level(3), levels[1])},
        {"levels": (levels[0], Level(segments=segments, indices=np.array([0, 2], "u1")))},
        {"levels": (levels[0], Level(segments=segments[:2], indices=indices))},
    )
    for change in changes:
        with pytest.raises(MisreadError):
            walk(msgspec.structs.replace(good, **change))
