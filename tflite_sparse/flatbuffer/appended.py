"""Bytes that lie after the flatbuffer and belong to none of its tables.

TFLite Metadata appends a zip of label files and the like to the model; compilers for NPUs append
byte code. They must come along when the model changes size: the offsets in a zip, which count from
the start of the file, and the tables that name byte code by its place must follow. Of bytes of
another kind nobody knows who refers to them, so that they cannot be moved.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.flatbuffer.byte_code import ByteCode
    from tflite_sparse.flatbuffer.source import Source
    from tflite_sparse.flatbuffer.verifier import Verified

__all__ = ["Appended", "AppendedKind", "find_appended", "relocated"]

_LONGEST_PADDING = 64
_LARGEST_ALIGNMENT = 2**14  # of memory pages
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


class AppendedKind(str, Enum):
    """What a run of bytes after the flatbuffer is."""

    ZIP = "zip"
    BYTE_CODE = "byte code"
    ZEROS = "zeros"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


class Appended(msgspec.Struct, frozen=True):
    """A run of bytes after the flatbuffer.

    Attributes:
        start: its offset in the file it was read from.
        data: the bytes, a view of the file.
        byte_code: whether tables name it as byte code of an NPU.
    """

    start: int
    data: NDArray[np.uint8]
    byte_code: bool = False

    @property
    def kind(self) -> AppendedKind:
        """What it is."""
        if self.byte_code:
            return AppendedKind.BYTE_CODE
        if _archive(self) is not None:
            return AppendedKind.ZIP
        return AppendedKind.UNKNOWN if self.data.any() else AppendedKind.ZEROS

    def holds(self, code: ByteCode) -> bool:
        """Whether the byte code that a table names lies in this run."""
        first, last = code.start - self.start, code.start + code.size - self.start
        return self.byte_code and 0 <= first <= last <= self.data.size

    def place_after(self, end: int) -> int:
        """Where it goes in a file whose other bytes end at an offset.

        Byte code stays aligned as it was: some NPUs map it into their memory.
        """
        alignment = min(self.start & -self.start, _LARGEST_ALIGNMENT) if self.byte_code else 1
        return end + -end % alignment


class _Archive(NamedTuple):
    """A zip archive: where its entries and its end stand in the run, and whether it must be edited.

    Attributes:
        end: where the record stands that ends it.
        directory: the offset of its directory that it states.
        entries: where the entries of that stand in the run.
        absolute: whether its offsets count from the start of the file.
    """

    end: int
    directory: int
    entries: tuple[int, ...]
    absolute: bool


def find_appended(
    source: Source, verified: Verified, byte_code: Iterable[ByteCode] = ()
) -> tuple[Appended, ...]:
    """What lies behind the flatbuffer and is no external data: runs by ascending start.

    Runs of up to 64 zero bytes are padding and are left out, and longer ones before byte code.

    Args:
        source: the file.
        verified: what was found out about its flatbuffer.
        byte_code: who names byte code by its place.
    """
    runs: list[Appended] = []
    cursor = verified.end
    named = _joined(code for code in byte_code if code.start >= verified.end and code.size > 0)
    ranges = [(offset, size, False) for offset, size in verified.external]
    ranges += [(offset, size, True) for offset, size in named if offset + size <= source.size]
    for offset, size, is_code in (*sorted(ranges), (source.size, 0, False)):
        if offset > cursor:
            run = source.data[cursor:offset]
            padding = _LARGEST_ALIGNMENT if is_code else _LONGEST_PADDING
            if run.size > padding or run.any():
                runs.append(Appended(cursor, run))
        if is_code and offset >= cursor:
            runs.append(Appended(offset, source.data[offset : offset + size], byte_code=True))
        cursor = max(cursor, offset + size)
    return tuple(runs)


def _joined(codes: Iterable[ByteCode]) -> list[tuple[int, int]]:
    """Ranges as (offset, size), those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, size in sorted({(code.start, code.size) for code in codes}):
        if joined and start < sum(joined[-1]):
            first, length = joined[-1]
            joined[-1] = first, max(length, start + size - first)
        else:
            joined.append((start, size))
    return joined


def relocated(appended: Appended, start: int) -> NDArray[np.uint8]:
    """The bytes as they must read at another place in the file.

    A zip archive whose offsets count from the start of the file gets them corrected; anything
    else, and an archive whose offsets count from its own start, is the same everywhere.

    Args:
        appended: the run.
        start: its new offset in the file.
    """
    shift = start - appended.start
    archive = None if shift == 0 or appended.byte_code else _archive(appended)
    if archive is None or not archive.absolute:
        return appended.data
    moved: NDArray[np.uint8] = appended.data.copy()
    for entry in archive.entries:
        (local,) = _OFFSET.unpack_from(moved, entry + _ENTRY_OFFSET_AT)
        _OFFSET.pack_into(moved, entry + _ENTRY_OFFSET_AT, local + shift)
    _OFFSET.pack_into(moved, archive.end + 16, archive.directory + shift)
    return moved


def _archive(run: Appended) -> _Archive | None:
    """The zip archive that a run is, but for zeros around it; None for anything else."""
    data = run.data
    tail = bytes(data[-(_END.size + _LONGEST_COMMENT + _LONGEST_PADDING) :])
    at = tail.rfind(_END_MAGIC)
    if at < 0 or at + _END.size > len(tail):
        return None
    _, _, _, _, count, directory_size, directory, comment = _END.unpack_from(tail, at)
    end = data.size - len(tail) + at
    first = end - directory_size
    if first < 0 or directory == _ZIP64 or any(tail[at + _END.size + comment :]):
        return None
    entries: list[int] = []
    starts: list[int] = []
    cursor = first
    for _ in range(count):
        if cursor + _ENTRY_HEADER > end or data[cursor : cursor + 4].tobytes() != _ENTRY_MAGIC:
            return None
        entries.append(cursor)
        starts.append(*_OFFSET.unpack_from(data, cursor + _ENTRY_OFFSET_AT))
        cursor += _ENTRY_HEADER + sum(_ENTRY_LENGTHS.unpack_from(data, cursor + _ENTRY_LENGTHS_AT))
    # Where offset 0 of the archive would stand in the run.
    origin = first - directory
    begin = origin + min(starts, default=directory)
    if not 0 <= begin <= first or _ZIP64 in starts or data[:begin].any():
        return None
    if origin != -run.start and origin < 0:
        return None
    return _Archive(end, directory, tuple(entries), absolute=origin == -run.start)
