"""How the metadata of a model say that its input is normalised."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["Normalization", "stated_normalization"]

_BLOB = "TFLITE_METADATA"
# Fields by their numbers in metadata_schema.fbs of TensorFlow Lite Support.
_SUBGRAPHS, _INPUTS, _UNITS = 3, 2, 4
_UNIT_TYPE, _UNIT = 0, 1
_NORMALIZATION = 1
_MEAN, _STD = 0, 1


class Normalization(NamedTuple):
    """What is taken from each channel of 0 to 255, and what that is divided by."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


def stated_normalization(model: Model) -> Normalization | None:
    """How the metadata say that the first input is normalised; None where they say nothing."""
    data = next((m.buffer.data.tobytes() for m in model.metadata if m.name == _BLOB), None)
    if data is None:
        return None
    try:
        return _found(data)
    except (IndexError, struct.error, ValueError):
        return None


def _found(data: bytes) -> Normalization | None:
    root = _number(data, 0)
    for subgraph in _tables(data, _field(data, root, _SUBGRAPHS))[:1]:
        for tensor in _tables(data, _field(data, subgraph, _INPUTS))[:1]:
            for unit in _tables(data, _field(data, tensor, _UNITS)):
                kind, where = _field(data, unit, _UNIT_TYPE), _field(data, unit, _UNIT)
                if kind is None or where is None or data[kind] != _NORMALIZATION:
                    continue
                options = where + _number(data, where)
                mean = _floats(data, _field(data, options, _MEAN))
                std = _floats(data, _field(data, options, _STD))
                if mean and std and all(std):
                    return Normalization(mean, std)
    return None


def _number(data: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where a field of a table is; None where the table has none."""
    offsets = table - struct.unpack_from("<i", data, table)[0]
    place = 4 + 2 * number
    if place >= struct.unpack_from("<H", data, offsets)[0]:
        return None
    offset = int(struct.unpack_from("<H", data, offsets + place)[0])
    return table + offset if offset else None


def _vector(data: bytes, place: int | None) -> tuple[int, int]:
    """Where the items of a vector begin, and how many there are."""
    if place is None:
        return 0, 0
    start = place + _number(data, place)
    return start + 4, _number(data, start)


def _tables(data: bytes, place: int | None) -> list[int]:
    start, count = _vector(data, place)
    places = range(start, min(start + 4 * count, len(data)), 4)
    return [item + _number(data, item) for item in places]


def _floats(data: bytes, place: int | None) -> tuple[float, ...]:
    start, count = _vector(data, place)
    return struct.unpack_from(f"<{count}f", data, start)
