"""Random encodings, sound and damaged, for `decode`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.encoding import Layout, Level, SparseEncoding, encode
from tflite_sparse.errors import EncodingError

if TYPE_CHECKING:
    import random

__all__ = ["damaged_encoding"]

_SIZES = (0, 1, 1, 2, 3, 4, 6, 8)
_NUMBERS = (-(2**31), -1, 0, 1, 2, 3, 4, 8, 255, 256, 65535, 2**20, 2**31 - 1, 2**31, 2**40, 2**63)
_KINDS = ("u1", "<u2", "<i4", "<i8", "<f4", "i1")
_VALUES = ("<f4", "<f2", "i1", "<i4", "<f8")
_MOST_STEPS = 3
_MOST_DIMENSIONS = 5


def damaged_encoding(chance: random.Random) -> tuple[SparseEncoding, list[str]]:
    """An encoding of a small tensor with up to three changes of any kind, and which."""
    encoding = _sound(chance)
    said = []
    for _ in range(chance.randint(0, _MOST_STEPS)):
        way = chance.choice((_shape, _order, _blocks, _values, _level, _level, _level, _levels))
        encoding = way(encoding, chance)
        said.append(way.__name__.strip("_"))
    return encoding, [*said, repr(encoding)]


def _sound(chance: random.Random) -> SparseEncoding:
    shape = tuple(chance.choice(_SIZES) for _ in range(chance.randint(1, _MOST_DIMENSIONS)))
    rank = len(shape)
    divided = [d for d in range(rank) if chance.random() < 0.3 and shape[d]]
    blocks = [chance.choice([b for b in (1, 2, 3, 4) if shape[d] % b == 0]) for d in divided]
    order = (*chance.sample(range(rank), rank), *range(rank, rank + len(divided)))
    compressed = tuple(n < rank and chance.random() < 0.6 for n in range(len(order)))
    rng = np.random.default_rng(chance.getrandbits(32))
    dense = rng.integers(-9, 10, shape) * (rng.random(shape) < chance.random())
    layout = Layout(order, compressed, tuple(divided), tuple(blocks))
    try:
        return encode(dense.astype(chance.choice(_VALUES)), layout)
    except EncodingError:
        return encode(np.ones((2, 2), np.float32), Layout((0, 1), (False, True)))


def _number(chance: random.Random) -> int:
    return chance.choice(_NUMBERS) if chance.random() < 0.5 else chance.randint(-1, 9)


def _row(row: tuple[int, ...], chance: random.Random) -> tuple[int, ...]:
    """Numbers with one changed, added, removed or moved; or very many of them."""
    items, way = list(row), chance.randrange(5)
    if way == 0 and chance.random() < 0.2:
        return tuple(items * 50)
    if way == 1 or not items:
        items.insert(chance.randrange(len(items) + 1), _number(chance))
    elif way == 2:
        del items[chance.randrange(len(items))]
    elif way == 3:
        chance.shuffle(items)
    else:
        items[chance.randrange(len(items))] = _number(chance)
    return tuple(items)


def _shape(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    return msgspec.structs.replace(encoding, shape=_row(encoding.shape, chance))


def _order(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    return msgspec.structs.replace(encoding, traversal_order=_row(encoding.traversal_order, chance))


def _blocks(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    changed = chance.choice((None, _row(encoding.block_map or (), chance)))
    return msgspec.structs.replace(encoding, block_map=changed)


def _values(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    values = encoding.values
    changed = chance.choice((values[:-1], np.append(values, values[:1]), values.reshape(-1, 1)))
    if chance.random() < 0.3:
        changed = np.zeros(values.size, chance.choice((*_VALUES, bool, object, "<c8", "<U3")))
    return msgspec.structs.replace(encoding, values=changed)


def _levels(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    levels = list(encoding.levels)
    if not levels or chance.random() < 0.5:
        levels.insert(chance.randrange(len(levels) + 1), Level(_number(chance)))
    else:
        del levels[chance.randrange(len(levels))]
    return msgspec.structs.replace(encoding, levels=tuple(levels))


def _level(encoding: SparseEncoding, chance: random.Random) -> SparseEncoding:
    if not encoding.levels:
        return encoding
    number = chance.randrange(len(encoding.levels))
    level = encoding.levels[number]
    if level.segments is None or level.indices is None or chance.random() < 0.1:
        changed = msgspec.structs.replace(level, dense_size=_number(chance))
    elif chance.random() < 0.1:
        changed = chance.choice(
            (
                Level(_number(chance)),
                msgspec.structs.replace(level, indices=None),
                Level(1, None, None),
            )
        )
    elif chance.random() < 0.5:
        changed = msgspec.structs.replace(level, segments=_array(level.segments, chance))
    else:
        changed = msgspec.structs.replace(level, indices=_array(level.indices, chance))
    levels = list(encoding.levels)
    levels[number] = changed
    return msgspec.structs.replace(encoding, levels=tuple(levels))


def _array(array: Any, chance: random.Random) -> Any:
    array = array.copy()
    way = chance.randrange(6)
    if way == 0:
        return array.astype(chance.choice(_KINDS))
    if way == 1:
        return array[:-1]
    if way == 2:
        return np.append(array, array[-1:])
    if way == 3:
        return array[::-1]
    if way == 4 and chance.random() < 0.2:
        return array.reshape(-1, 1)
    if array.size:
        limits = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
        value = _number(chance)
        if limits is not None:
            value = min(max(value, int(limits.min)), int(limits.max))
        array[chance.randrange(array.size)] = value
    return array
