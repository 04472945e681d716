"""Byte code behind the flatbuffer, as NPU compilers leave it, and the tables that name its place.

LiteRT has had three forms. Today the options of an operator DISPATCH_OP are a flexbuffer map with
`bytecode_offset` and `bytecode_size` (litert/core/dispatch_op_schema.cc). Before, metadata such as
NPU_BYTE_CODE held a tag and both numbers as text of 11 bytes each (core/byte_code_util.cc); before
that, the tag and both between brackets, filled up with stars. All offsets count from the start of
the file.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tflite_sparse.flatbuffer.external import EXTERNAL, external_range
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.flatbuffer.source import Source

__all__ = ["ByteCode", "find_byte_code", "set_offset", "without_offset"]

_DISPATCH = "DISPATCH_OP"
_OPTIONS, _DATA = "custom_options", "data"
_OFFSET, _SIZE = "bytecode_offset", "bytecode_size"
_TAG = b"<npu_byte_code>"
_DIGITS = 10
_LONGEST_TEXT = len(_TAG) + 24  # more than either form has
_NUL_ENDED = re.compile(_TAG + rb"(?=.{22}\Z)(\d{1,10})\0+(\d{1,10})\0+\Z", re.DOTALL)
_BRACKETS = re.compile(_TAG + rb"\[(?=.{10},.{10}\]\Z)\**(\d+),\**(\d+)\]\Z", re.DOTALL)
# What the reader of flexbuffers raises where there is none, or a damaged one.
_NO_MAP = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class ByteCode(msgspec.Struct, frozen=True, eq=False):
    """A table that names a place in the file where byte code lies.

    Attributes:
        table: the table.
        field: its field that holds the name of the place.
        held: what that held in the file that was read, or lay outside the flatbuffer instead.
        who: what people call the table.
        start: offset of the byte code in the file that was read.
        size: its size in bytes.
    """

    table: Table
    field: str
    held: bytes
    who: str
    start: int
    size: int


def find_byte_code(root: Table, source: Source) -> tuple[ByteCode, ...]:
    """The tables of a model that name byte code by its place in the file.

    Args:
        root: the Model table, as it was read.
        source: the file.
    """
    return (*_in_operators(root, source), *_in_metadata(root, source))


def _in_operators(root: Table, source: Source) -> Iterator[ByteCode]:
    custom = schema().enums["BuiltinOperator"].values["CUSTOM"]
    dispatching = {
        number
        for number, code in enumerate(root["operator_codes"] or ())
        if custom in (code["builtin_code"], code["deprecated_builtin_code"])
        and code["custom_code"] == _DISPATCH
    }
    if not dispatching:
        return
    for subgraph in root["subgraphs"] or ():
        for number, operator in enumerate(subgraph["operators"] or ()):
            if operator["opcode_index"] not in dispatching:
                continue
            held = _held(operator, source)
            place = _read_map(held)
            if place is not None:
                yield ByteCode(operator, _OPTIONS, held, f"{_DISPATCH} #{number}", *place)


def _in_metadata(root: Table, source: Source) -> Iterator[ByteCode]:
    buffers = root["buffers"] or ()
    for entry in root["metadata"] or ():
        if entry["buffer"] >= len(buffers):
            continue
        buffer = buffers[entry["buffer"]]
        held = _held(buffer, source, _LONGEST_TEXT)
        match = _NUL_ENDED.match(held) or _BRACKETS.match(held)
        if match is not None and int(match[1]):
            who = f"metadata {entry['name']}"
            yield ByteCode(buffer, _DATA, held, who, int(match[1]), int(match[2]))


def _held(table: Table, source: Source, most: int | None = None) -> bytes:
    """What a table holds inside the flatbuffer or outside of it, up to a number of bytes."""
    where = external_range(table)
    if where is not None:
        return source.raw(where[0], where[1] if most is None else min(where[1], most))
    inside = table[EXTERNAL[table.name].inside]
    return b"" if inside is None else bytes(inside[:most].tobytes())


def _read_map(options: bytes) -> tuple[int, int] | None:
    """Offset and size as a flexbuffer states them; None where there is no byte code."""
    from flatbuffers import flexbuffers

    try:
        entries = flexbuffers.GetRoot(bytearray(options)).AsMap
        place = entries[_OFFSET].AsInt, entries[_SIZE].AsInt
    except _NO_MAP:
        return None
    return place if place[0] else None


def set_offset(reference: ByteCode, offset: int) -> bool:
    """Makes a table name another place.

    Args:
        reference: the table.
        offset: where the byte code lies now, in bytes from the start of the file.

    Returns:
        Whether the table says something else than before.

    Raises:
        OverflowError: the form has no room for such an offset.
    """
    inside = reference.table[reference.field]
    before = reference.held if inside is None else inside.tobytes()
    after = _moved_text(before, offset) if reference.field == _DATA else _moved_map(before, offset)
    if after == before:
        return False
    # What is inside goes before what is outside.
    reference.table[reference.field] = np.frombuffer(after, np.uint8)
    return True


def without_offset(reference: ByteCode) -> object:
    """What the field of a table says but for the place, to be compared."""
    from flatbuffers import flexbuffers

    if reference.field == _DATA:
        return _moved_text(reference.held, 0)
    return {**flexbuffers.Loads(bytearray(reference.held)), _OFFSET: 0}


def _moved_text(text: bytes, offset: int) -> bytes:
    digits, start = str(offset).encode(), len(_TAG)
    if len(digits) > _DIGITS:
        raise OverflowError
    if text[start : start + 1] == b"[":
        return text[: start + 1] + digits.rjust(_DIGITS, b"*") + text[start + 1 + _DIGITS :]
    return text[:start] + digits.ljust(_DIGITS + 1, b"\0") + text[start + _DIGITS + 1 :]


def _moved_map(options: bytes, offset: int) -> bytes:
    """A flexbuffer with another offset: in place, or of 64 bits where there is no room for it."""
    from flatbuffers import flexbuffers

    wanted = {**flexbuffers.Loads(bytearray(options)), _OFFSET: offset}
    edited = bytearray(options)
    in_place = flexbuffers.GetRoot(edited).AsMap[_OFFSET].MutateInt(offset)
    if in_place and flexbuffers.Loads(edited) == wanted:
        return bytes(edited)
    builder = flexbuffers.Builder(force_min_bit_width=flexbuffers.BitWidth.W64)
    builder.Add(wanted)
    return bytes(builder.Finish())
