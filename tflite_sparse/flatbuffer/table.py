"""One table of a file: decoded field by field when asked, and editable."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from tflite_sparse.flatbuffer.payload import as_vector
from tflite_sparse.flatbuffer.schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.flatbuffer.schema import EnumDef, FieldDef, TableDef, UnionDef
    from tflite_sparse.flatbuffer.source import Source

__all__ = ["SCALARS", "Table"]

SCALARS = {
    code: struct.Struct("<" + letter)
    for code, letter in {
        "b1": "?",
        "i1": "b",
        "u1": "B",
        "i2": "h",
        "u2": "H",
        "i4": "i",
        "u4": "I",
        "i8": "q",
        "u8": "Q",
        "f4": "f",
        "f8": "d",
    }.items()
}
_UOFFSET = SCALARS["u4"]
_SOFFSET = SCALARS["i4"]


class Table:
    """A table by the schema. `t["field"]` reads a field, `t["field"] = value` sets it.

    A scalar reads as int, float or bool (its default where absent); a string as str, with bytes
    that are not UTF-8 kept by surrogateescape; a vector of numbers as a read-only 1-D array that
    is a view of the file, or a `Deferred` one; a vector of tables or strings as a list, whose edits
    count; a table or union as a Table. What is absent and no scalar reads as None; setting a field
    to None removes it. Setting a union sets its type field too.

    Args:
        name: name of the table in the schema.

    Attributes:
        definition: the table's entry in the schema.
        offset: where the table stands in the file it was read from, or None.
    """

    __slots__ = ("_edited", "_fields", "_slots", "_source", "definition", "offset")

    definition: TableDef
    offset: int | None

    def __init__(self, name: str) -> None:
        self.definition = schema().tables[name]
        self.offset = None
        self._source: Source | None = None
        # Where each field stands, counted from the table; 0 for one that is absent.
        self._slots: tuple[int, ...] = ()
        # What fields read as, where it was asked; and whether those that were set are stored.
        self._fields: dict[str, Any] = {}
        self._edited: dict[str, bool] = {}

    @classmethod
    def at(cls, source: Source, definition: TableDef, offset: int) -> Table:
        """The table at `offset` of a source that was verified."""
        self = cls.__new__(cls)
        self.definition = definition
        self.offset = offset
        self._source = source
        self._slots = source.slots(offset - source.unpack(_SOFFSET, offset))
        self._fields = {}
        self._edited = {}
        return self

    @property
    def name(self) -> str:
        """Name of the table in the schema."""
        return self.definition.name

    def __repr__(self) -> str:
        where = "" if self.offset is None else f" at {self.offset}"
        return f"<{self.name}{where}>"

    def __contains__(self, name: str) -> bool:
        """Whether the field is stored: present in the file, or set."""
        if name in self._edited:
            return self._edited[name]
        return self._position(self.definition.by_name[name]) is not None

    def __getitem__(self, name: str) -> Any:
        # Models are read field by field, tens of thousands of times: what was decoded comes first.
        try:
            return self._fields[name]
        except KeyError:
            field = self.definition.by_name[name]
            position = self._position(field)
            value = field.default if position is None else self._decode(field, position)
            self._fields[name] = value
            return value

    def __setitem__(self, name: str, value: Any) -> None:
        field = self.definition.by_name[name]
        if value is not None:
            if field.kind == "vector_scalar":
                value = as_vector(value, str(field.scalar))
            elif field.kind == "union":
                self[f"{name}_type"] = schema().unions[str(field.union)].values[value.name]
        elif field.kind == "union":
            self[f"{name}_type"] = None
        self._fields[name] = field.default if value is None else value
        self._edited[name] = value is not None

    def __iter__(self) -> Iterator[FieldDef]:
        """The fields that are stored, in the order of their slots."""
        slots, edited = self._slots, self._edited
        if not edited:
            fields = self.definition.fields
            return (f for f in fields if f.slot < len(slots) and slots[f.slot])
        return (field for field in self.definition.fields if field.name in self)

    def enum(self, name: str) -> str:
        """The name of an enum field's value, such as "SAME"; its number where it has none."""
        value = self[name]
        return self._enum(name).names.get(value, str(value))

    def set_enum(self, name: str, value: str) -> None:
        """Sets an enum field by the name of its value."""
        self[name] = self._enum(name).values[value]

    def copy(self) -> Table:
        """A deep copy that can be edited on its own; vectors of numbers stay views."""
        twin = Table(self.name)
        for field in self:
            value = self[field.name]
            if field.kind in {"table", "union"}:
                value = value.copy()
            elif field.kind == "vector_table":
                value = [item.copy() for item in value]
            elif field.kind == "vector_string":
                value = list(value)
            twin._fields[field.name] = value
            twin._edited[field.name] = True
        return twin

    @property
    def is_edited(self) -> bool:
        """Whether a field was set here or in a table below, as far as these have been decoded."""
        if self._edited:
            return True
        for value in self._fields.values():
            below = value if isinstance(value, list) else [value]
            if any(isinstance(item, Table) and item.is_edited for item in below):
                return True
        return False

    def location(self, name: str) -> int | None:
        """Offset in the file of what an unedited string or vector field refers to, else None."""
        if self._source is None or name in self._edited:
            return None
        position = self._position(self.definition.by_name[name])
        return None if position is None else self._follow(position)

    def _enum(self, name: str) -> EnumDef | UnionDef:
        kind = str(self.definition.by_name[name].enum)
        definitions = schema()
        return definitions.enums.get(kind) or definitions.unions[kind]

    def _position(self, field: FieldDef) -> int | None:
        slots = self._slots
        if field.slot >= len(slots) or not slots[field.slot]:
            return None
        return int(self.offset or 0) + slots[field.slot]

    @property
    def _bytes(self) -> Source:
        if self._source is None:
            raise AssertionError("a table without a source has no positions")
        return self._source

    def _follow(self, position: int) -> int:
        return position + int(self._bytes.unpack(_UOFFSET, position))

    def _decode(self, field: FieldDef, position: int) -> Any:
        source = self._bytes
        if field.kind == "scalar":
            return source.unpack(SCALARS[str(field.scalar)], position)
        target = self._follow(position)
        if field.kind == "string":
            return _string(source, target)
        if field.kind == "vector_scalar":
            return source.vector(target + 4, source.unpack(_UOFFSET, target), f"<{field.scalar}")
        return self._decode_tables(field, source, target)

    def _decode_tables(self, field: FieldDef, source: Source, target: int) -> Any:
        tables = schema().tables
        if field.kind == "table":
            return Table.at(source, tables[str(field.table)], target)
        if field.kind == "union":
            member = schema().unions[str(field.union)].members.get(self[f"{field.name}_type"])
            return None if member is None else Table.at(source, tables[member], target)
        places = source.vector(target + 4, source.unpack(_UOFFSET, target), "<u4").tolist()
        starts = [target + 4 + 4 * index + place for index, place in enumerate(places)]
        if field.kind == "vector_table":
            return [Table.at(source, tables[str(field.table)], start) for start in starts]
        return [_string(source, start) for start in starts]


def _string(source: Source, at: int) -> str:
    return source.raw(at + 4, source.unpack(_UOFFSET, at)).decode("utf-8", "surrogateescape")
