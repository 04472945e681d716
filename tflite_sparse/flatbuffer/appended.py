"""Bytes that lie after the flatbuffer and belong to none of its tables, such as a zip archive.

TFLite Metadata appends a zip of label files and the like to the model. It must come along when the
model changes size, and its own offsets, which count from the start of the file, must follow.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tflite_sparse.flatbuffer.source import Source
    from tflite_sparse.flatbuffer.verifier import Verified

__all__ = ["Appended", "find_appended", "relocated"]

_LONGEST_PADDING = 64
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_ENTRY_MAGIC = b"PK\x01\x02"
_ENTRY_HEADER = 46
_ENTRY_LENGTHS = struct.Struct("<3H")
_ENTRY_LENGTHS_AT = 28
_ENTRY_OFFSET_AT = 42
_OFFSET = struct.Struct("<L")
_LONGEST_COMMENT = 65535
_ZIP64 = 0xFFFFFFFF


class Appended(msgspec.Struct, frozen=True):
    """A run of bytes after the flatbuffer.

    Attributes:
        start: its offset in the file it was read from.
        data: the bytes, a view of the file.
    """

    start: int
    data: NDArray[np.uint8]


def find_appended(source: Source, verified: Verified) -> tuple[Appended, ...]:
    """What lies behind the flatbuffer and is no external data: runs by ascending start.

    Runs of up to 64 zero bytes are padding and are left out.
    """
    found = []
    cursor = verified.end
    for offset, size in (*verified.external, (source.size, 0)):
        if offset > cursor:
            run = source.data[cursor:offset]
            if run.size > _LONGEST_PADDING or run.any():
                found.append(Appended(cursor, run))
        cursor = max(cursor, offset + size)
    return tuple(found)


def relocated(appended: Appended, start: int) -> NDArray[np.uint8]:
    """The bytes as they must read at another place in the file.

    A zip archive whose offsets count from the start of the file gets them corrected; anything
    else, and an archive whose offsets count from its own start, is the same everywhere.

    Args:
        appended: the run.
        start: its new offset in the file.
    """
    shift = start - appended.start
    data = appended.data
    tail = bytes(data[-(_END.size + _LONGEST_COMMENT) :])
    at = tail.rfind(_END_MAGIC)
    if shift == 0 or at < 0 or at + _END.size > len(tail):
        return data
    end_at = data.size - len(tail) + at
    _, _, _, _, entries, directory_size, directory, _ = _END.unpack_from(tail, at)
    directory_at = end_at - directory_size
    absolute = directory == appended.start + directory_at
    if directory == _ZIP64 or not absolute or directory_at < 0:
        return data
    moved: NDArray[np.uint8] = data.copy()
    cursor = directory_at
    for _ in range(entries):
        if cursor + _ENTRY_HEADER > end_at or moved[cursor : cursor + 4].tobytes() != _ENTRY_MAGIC:
            return data
        (local,) = _OFFSET.unpack_from(moved, cursor + _ENTRY_OFFSET_AT)
        if not appended.start <= local < _ZIP64:
            return data
        _OFFSET.pack_into(moved, cursor + _ENTRY_OFFSET_AT, local + shift)
        cursor += _ENTRY_HEADER + sum(_ENTRY_LENGTHS.unpack_from(moved, cursor + _ENTRY_LENGTHS_AT))
    _OFFSET.pack_into(moved, end_at + 16, directory + shift)
    return moved
