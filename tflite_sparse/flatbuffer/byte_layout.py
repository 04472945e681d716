"""Lays a tree of tables out as bytes, front to back, with the large vectors still to come.

The structure (tables, vtables, strings, short vectors) becomes one bytearray. Every long vector of
numbers becomes a `Piece` with its place in the file, to be streamed after the structure. The result
depends on the tree alone, so that the same model gives the same bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tflite_sparse.errors import RewriteError
from tflite_sparse.flatbuffer.appended import Appended
from tflite_sparse.flatbuffer.external import EXTERNAL, external_range
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.table import SCALARS

if TYPE_CHECKING:
    from tflite_sparse.flatbuffer.external import ExternalFields
    from tflite_sparse.flatbuffer.schema import FieldDef
    from tflite_sparse.flatbuffer.source import Source
    from tflite_sparse.flatbuffer.table import Table

__all__ = ["MAX_FLATBUFFER", "Layout", "Piece", "lay_out"]

MAX_FLATBUFFER = 2**31 - 1
"""Largest flatbuffer: its offsets are 32 bits and vtable offsets are signed."""

_INLINE_BYTES = 1024
_EXTERNAL_ALIGNMENT = 16
_U16 = SCALARS["u2"]
_U32 = SCALARS["u4"]
_I32 = SCALARS["i4"]
_U64 = SCALARS["u8"]


Packers: TypeAlias = "list[struct.Struct | None]"
"""How each field of a table is written; None for a reference."""

Arrangement: TypeAlias = "tuple[bytes, int, int, list[int], Packers]"
"""A table's vtable, size, alignment, where each field stands in it, and how it is written."""


class Piece(msgspec.Struct, eq=False):
    """A run of numbers that is streamed after the structure.

    Attributes:
        vector: the numbers, a 1-D array or a `Deferred`.
        alignment: of the first number, in bytes.
        references: positions in the structure that refer to it.
        external: whether it lies outside the flatbuffer, without a length prefix.
        start: offset in the file of the first number.
    """

    vector: Any
    alignment: int
    references: list[int]
    external: bool = False
    start: int = 0


class Layout(msgspec.Struct, eq=False):
    """A file as it will be written.

    Attributes:
        structure: the first bytes of the file.
        pieces: what follows, by ascending start.
        size: size of the file in bytes.
        appended: what lies behind the flatbuffer and belongs to no table, and where it starts.
    """

    structure: bytearray
    pieces: list[Piece] = msgspec.field(default_factory=list)
    size: int = 0
    appended: list[tuple[Appended, int]] = msgspec.field(default_factory=list)


class _Emitter:
    def __init__(self, identifier: bytes, source: Source | None, spill_over: int | None) -> None:
        self.out = bytearray(4) + bytearray(identifier)
        self.source = source
        self.spill_over = spill_over
        self.vtables: dict[bytes, int] = {}
        # By the identities of the fields, which live as long as the schema.
        self.arrangements: dict[tuple[int, ...], Arrangement] = {}
        # Strings and short vectors come after all tables, each once: (alignment, bytes) -> users.
        self.pool: dict[tuple[int, bytes], list[int]] = {}
        self.pieces: dict[Any, Piece] = {}

    def align(self, alignment: int, ahead: int = 0) -> None:
        self.out += bytes(-(len(self.out) + ahead) % alignment)

    def refer(self, position: int, target: int) -> None:
        _U32.pack_into(self.out, position, target - position)

    def table(self, table: Table) -> int:
        stored = list(table)
        fields, spilled = EXTERNAL.get(table.name), None
        if fields is not None:
            spilled = self.spilled(table)
            stored = self.located(table, fields, stored, spilled=spilled is not None)
        start, places, packers = self.reserve(stored)
        rows = list(zip(stored, places, packers, strict=True))
        for item, place, packer in rows:
            if packer is not None:
                packer.pack_into(self.out, place, table[item.name])
        if fields is not None:
            self.external(table, spilled, {item.name: place for item, place, _ in rows})
        for item, place, packer in rows:
            if packer is None:
                self.value(table, item, place)
        return start

    @staticmethod
    def located(
        table: Table, fields: ExternalFields, stored: list[FieldDef], *, spilled: bool
    ) -> list[FieldDef]:
        """The fields that are stored of a table whose data may lie outside the flatbuffer."""
        if spilled:
            # The data moves outside: two numbers stand for it.
            stored = [item for item in stored if item.name != fields.inside]
            names = {item.name for item in stored}
            stored += [table.definition.by_name[n] for n in fields[:2] if n not in names]
            return sorted(stored, key=lambda item: item.slot)
        if fields.inside in table:
            # What is inside goes before; a place outside would be that of the old file.
            return [item for item in stored if item.name not in fields[:2]]
        return stored

    def spilled(self, table: Table) -> Any:
        if self.spill_over is None:
            return None
        inside = EXTERNAL[table.name].inside
        value = table[inside]
        return value if value is not None and value.nbytes > self.spill_over else None

    def reserve(self, stored: list[FieldDef]) -> tuple[int, list[int], Packers]:
        """Makes room for a table: its start, and the place and the form of each field in it."""
        vtable, size, alignment, inside, packers = self.arranged(stored)
        at = self.vtables.get(vtable)
        if at is None:
            self.align(2)
            at = self.vtables[vtable] = len(self.out)
            self.out += vtable
        self.align(alignment)
        start = len(self.out)
        self.out += bytes(size)
        _I32.pack_into(self.out, start, start - at)
        return start, [start + place for place in inside], packers

    def arranged(self, stored: list[FieldDef]) -> Arrangement:
        """How a table with these fields is laid out.

        Most tables are like one that came before.
        """
        key = tuple(map(id, stored))
        arrangement = self.arrangements.get(key)
        if arrangement is None:
            arrangement = self.arrangements[key] = self.arrange(stored)
        return arrangement

    @staticmethod
    def arrange(stored: list[FieldDef]) -> Arrangement:
        packers = [SCALARS[str(f.scalar)] if f.kind == "scalar" else None for f in stored]
        widths = [4 if packer is None else packer.size for packer in packers]
        largest = max(widths, default=4)
        inside = [0] * len(stored)
        cursor = 4
        # Wide fields first keeps the padding small; the order is otherwise that of the slots.
        for index in sorted(range(len(stored)), key=lambda i: -widths[i]):
            cursor += -cursor % widths[index]
            inside[index] = cursor
            cursor += widths[index]
        slots = [0] * (stored[-1].slot + 1 if stored else 0)
        for item, place in zip(stored, inside, strict=True):
            slots[item.slot] = place
        vtable = struct.pack(f"<{len(slots) + 2}H", 4 + 2 * len(slots), cursor, *slots)
        return vtable, cursor, max(4, largest), inside, packers

    def value(self, table: Table, item: FieldDef, place: int) -> None:
        value = table[item.name]
        if item.kind in {"table", "union"}:
            self.refer(place, self.table(value))
        elif item.kind == "string":
            self.string(value, place)
        elif item.kind == "vector_scalar":
            self.numbers(table, item, value, place)
        else:
            self.align(4)
            vector = len(self.out)
            self.refer(place, vector)
            self.out += _U32.pack(len(value)) + bytes(4 * len(value))
            for index, element in enumerate(value):
                at = vector + 4 + 4 * index
                if item.kind == "vector_table":
                    self.refer(at, self.table(element))
                else:
                    self.string(element, at)

    def string(self, value: str, place: int) -> None:
        raw = value.encode("utf-8", "surrogateescape")
        self.pool.setdefault((4, _U32.pack(len(raw)) + raw + b"\0"), []).append(place)

    def numbers(self, table: Table, item: FieldDef, value: Any, place: int) -> None:
        alignment = max(4, SCALARS[str(item.scalar)].size, item.force_align or 1)
        streams = table.name in EXTERNAL and EXTERNAL[table.name].inside == item.name
        if isinstance(value, Deferred) or streams or value.nbytes > _INLINE_BYTES:
            location = table.location(item.name)
            self.piece(value, alignment, place, external=False, location=location)
            return
        packed = _U32.pack(len(value)) + value.tobytes()
        self.pool.setdefault((alignment, packed), []).append(place)

    def piece(
        self, vector: Any, alignment: int, place: int, *, external: bool, location: int | None
    ) -> None:
        # What one place of the source holds, or one array object, is written once; vectors of
        # different sizes at one place overlap, and are two.
        by_object = ("made", id(vector))
        key = (external, by_object if location is None else (location, vector.nbytes))
        piece = self.pieces.get(key)
        if piece is None:
            self.pieces[key] = Piece(vector, alignment, [place], external)
        else:
            piece.references.append(place)
            piece.alignment = max(piece.alignment, alignment)

    def external(self, table: Table, spilled: Any, places: dict[str, int]) -> None:
        fields = EXTERNAL[table.name]
        data, location = spilled, table.location(fields.inside)
        if spilled is None:
            where = external_range(table)
            if where is None:
                return
            if self.source is None:
                raise RewriteError(f"external data of {table!r} without the file that holds it")
            location = where[0]
            data = self.source.data[location : location + where[1]]
        if fields.size in places:
            _U64.pack_into(self.out, places[fields.size], data.nbytes)
        self.piece(
            data, _EXTERNAL_ALIGNMENT, places[fields.offset], external=True, location=location
        )

    def finish(self, root: int) -> Layout:
        _U32.pack_into(self.out, 0, root)
        for (alignment, packed), places in self.pool.items():
            self.align(alignment, ahead=4)
            for place in places:
                self.refer(place, len(self.out))
            self.out += packed
        layout = Layout(self.out)
        cursor = len(self.out)
        for piece in _order(list(self.pieces.values())):
            prefix = 0 if piece.external else 4
            piece.start = cursor + prefix + -(cursor + prefix) % piece.alignment
            for place in piece.references:
                if piece.external:
                    _U64.pack_into(self.out, place, piece.start)
                elif piece.start <= MAX_FLATBUFFER:
                    self.refer(place, piece.start - prefix)
            cursor = piece.start + piece.vector.nbytes
            layout.pieces.append(piece)
        layout.size = cursor
        return layout


def _order(pieces: list[Piece]) -> list[Piece]:
    """Inside before outside; members of a group together, where the first of them stands."""
    groups: dict[object, list[Piece]] = {}
    for piece in pieces:
        group = piece.vector.group if isinstance(piece.vector, Deferred) else None
        groups.setdefault((piece.external, piece if group is None else group), []).append(piece)
    chained = [piece for members in groups.values() for piece in members]
    return sorted(chained, key=lambda piece: piece.external)


def lay_out(root: Table, identifier: bytes, source: Source | None) -> Layout:
    """Lays out a file.

    Where the flatbuffer would pass `MAX_FLATBUFFER`, the data of all buffers above 1 KiB moves
    outside of it, as the format foresees for large models.

    Args:
        root: the root table.
        identifier: the file identifier, four bytes.
        source: the file that external data is taken from.

    Raises:
        RewriteError: even the structure is too large for the format.
    """
    for spill_over in (None, _INLINE_BYTES):
        emitter = _Emitter(identifier, source, spill_over)
        layout = emitter.finish(emitter.table(root))
        inside = [p.start + p.vector.nbytes for p in layout.pieces if not p.external]
        if max(inside, default=len(layout.structure)) <= MAX_FLATBUFFER:
            return layout
    raise RewriteError("the model is too large: its structure alone passes 2 GiB")
