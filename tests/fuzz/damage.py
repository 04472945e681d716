"""Ways to damage a file: blind ones, and ones that know where its offsets are.

All draw from a `random.Random`, so that the same number makes the same damage.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    import random

__all__ = ["EDGES", "damaged", "places_of"]

EDGES = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which types end and signs turn."""

_CODES = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
_MOST_STEPS = 6
_LONGEST_RUN = 256


def places_of(data: bytes) -> list[tuple[int, int]]:
    """Where the numbers are that hold a flatbuffer together, each as (place, width).

    Offsets, vtables, and lengths of vectors and strings; none where the file cannot be read.
    """
    try:
        root = FlatFile.read(data).root
    except TfliteSparseError:
        return []
    found: set[tuple[int, int]] = {(0, 4)}
    _walk(data, root, found)
    return sorted(found)


def _walk(data: bytes, table: Table, found: set[tuple[int, int]]) -> None:
    start = int(table.offset or 0)
    vtable = start - struct.unpack_from("<i", data, start)[0]
    if (start, 4) in found:
        return
    found.add((start, 4))
    found.update((vtable + at, 2) for at in range(0, struct.unpack_from("<H", data, vtable)[0], 2))
    for field in table:
        position = table._position(field)
        if field.kind == "scalar" or position is None:
            continue
        found.add((position, 4))
        target = position + struct.unpack_from("<I", data, position)[0]
        value = table[field.name]
        if isinstance(value, Table):
            _walk(data, value, found)
            continue
        found.add((target, 4))
        if field.kind in {"vector_table", "vector_string"}:
            found.update((target + 4 + 4 * at, 4) for at in range(len(value or ())))
        if field.kind == "vector_table":
            for element in value or ():
                _walk(data, element, found)


def damaged(
    data: bytes,
    chance: random.Random,
    places: list[tuple[int, int]] | None = None,
    other: bytes = b"",
) -> tuple[bytes, list[str]]:
    """A damaged copy of a file, and what was done to it.

    Args:
        data: the file.
        chance: what to draw from.
        places: those of `places_of`, which are then hit often.
        other: another file to splice runs from.
    """
    out, said = bytearray(data), []
    for _ in range(chance.randint(1, _MOST_STEPS)):
        ways = [_flip, _write, _cut, _insert, _splice]
        if places:
            ways += [_redirect, _redirect, _redirect]
        way = chance.choices(ways, [2 if way is not _cut else 1 for way in ways])[0]
        said.append(way(out, chance, places or [], other or data))
        if not out:
            break
    return bytes(out), said


Way = "Callable[[bytearray, random.Random, list[tuple[int, int]], bytes], str]"


def _flip(out: bytearray, chance: random.Random, _places: object, _other: bytes) -> str:
    place, bit = chance.randrange(len(out)), chance.randrange(8)
    out[place] ^= 1 << bit
    return f"flip bit {bit} at {place}"


def _write(out: bytearray, chance: random.Random, _places: object, _other: bytes) -> str:
    width = chance.choice((1, 2, 4, 8))
    if len(out) < width:
        return "nothing"
    place = chance.randrange((len(out) - width) // width + 1) * width
    return _put(out, place, width, _number(chance, len(out)))


def _redirect(
    out: bytearray, chance: random.Random, places: list[tuple[int, int]], _other: bytes
) -> str:
    place, width = chance.choice(places)
    if place + width > len(out):
        return "nothing"
    old = struct.unpack_from(_CODES[width], out, place)[0]
    goal = chance.choice(places)[0]
    value = chance.choice(
        (goal - place, place - goal, old + chance.choice((-8, -4, -2, -1, 1, 2, 4, 8)))
    )
    if chance.random() < 0.3:
        value = _number(chance, len(out))
    return _put(out, place, width, value)


def _number(chance: random.Random, size: int) -> int:
    return chance.choice(EDGES) if chance.random() < 0.5 else chance.randrange(size + 1)


def _put(out: bytearray, place: int, width: int, value: int) -> str:
    value &= 256**width - 1
    struct.pack_into(_CODES[width], out, place, value)
    return f"write {value:#x} in {width} bytes at {place}"


def _cut(out: bytearray, chance: random.Random, _places: object, _other: bytes) -> str:
    size = chance.randrange(len(out))
    del out[size:]
    return f"cut to {size} bytes"


def _insert(out: bytearray, chance: random.Random, _places: object, _other: bytes) -> str:
    place, size = chance.randrange(len(out) + 1), chance.choice((1, 2, 4, 16, 300))
    out[place:place] = bytes(size)
    return f"insert {size} bytes at {place}"


def _splice(out: bytearray, chance: random.Random, _places: object, other: bytes) -> str:
    size = min(chance.randint(1, _LONGEST_RUN), len(other))
    source, target = chance.randrange(len(other) - size + 1), chance.randrange(len(out))
    out[target : target + size] = other[source : source + size]
    return f"splice {size} bytes from {source} to {target}"
