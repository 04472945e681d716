"""The format as data: what schema/tflite.fbs says, parsed once when it is first needed."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import FileError, Place
from tflite_sparse.flatbuffer.schema_text import declarations, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.errors import FormatError
    from tflite_sparse.flatbuffer.schema_text import DeclaredEnum, DeclaredField, DeclaredTable

__all__ = ["EnumDef", "FieldDef", "Schema", "TableDef", "UnionDef", "parse", "schema"]

_SCALARS = {
    "bool": "b1",
    "byte": "i1",
    "ubyte": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "long": "i8",
    "ulong": "u8",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}
_NONE = "NONE"
_MEMBERS = range(1, 256)


class FieldDef(msgspec.Struct, frozen=True):
    """A field of a table.

    Attributes:
        name: its name.
        slot: its place in the vtable.
        kind: scalar, string, table, union, vector_scalar, vector_string or vector_table.
        scalar: numpy code of a number or of the numbers of a vector, such as "i4".
        enum: name of the enum or union whose values the number is, if any.
        table: name of the table that is referred to.
        union: name of the union whose member is referred to; its type is in the slot before.
        default: value of an absent number.
        force_align: alignment in bytes of a vector's first element, 0 for the natural one.
        deprecated: whether writers have stopped using it.
    """

    name: str
    slot: int
    kind: str
    scalar: str | None = None
    enum: str | None = None
    table: str | None = None
    union: str | None = None
    default: bool | int | float | None = None
    force_align: int = 0
    deprecated: bool = False


class TableDef(msgspec.Struct, frozen=True):
    """A table: its name and its fields by slot."""

    name: str
    fields: tuple[FieldDef, ...]
    by_name: dict[str, FieldDef]


class EnumDef(msgspec.Struct, frozen=True):
    """An enum: numpy code of its numbers, and names and numbers both ways."""

    name: str
    scalar: str
    values: dict[str, int]
    names: dict[int, str]


class UnionDef(msgspec.Struct, frozen=True):
    """A union: the table of each type number, and an enum of its types with NONE = 0."""

    name: str
    members: dict[int, str]
    values: dict[str, int]
    names: dict[int, str]
    scalar: str = "u1"


class Schema(msgspec.Struct, frozen=True):
    """The whole format.

    Attributes:
        tables: tables by name.
        enums: enums by name.
        unions: unions by name.
        root: the root table.
        identifier: the four bytes at offset 4 of every file.
        parents_first: the tables that the root reaches, each after all that refer to it.
    """

    tables: dict[str, TableDef]
    enums: dict[str, EnumDef]
    unions: dict[str, UnionDef]
    root: TableDef
    identifier: bytes
    parents_first: tuple[TableDef, ...]


class _Resolver:
    """Turns declarations into definitions, where every name must mean something."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.declared = declarations(text, name)
        self.enums = {enum.name: self.enum(enum) for enum in self.declared.enums.values()}
        self.unions = {union.name: self.union(union) for union in self.declared.unions.values()}
        self.tables = {table.name: self.table(table) for table in self.declared.tables.values()}

    def run(self) -> Schema:
        if self.declared.root not in self.tables:
            raise self.error("the schema names no root table", 1)
        return Schema(
            self.tables,
            self.enums,
            self.unions,
            self.tables[self.declared.root],
            self.declared.identifier,
            self.parents_first(),
        )

    def error(self, message: str, line: int) -> FormatError:
        return error(message, line, self.name)

    def enum(self, declared: DeclaredEnum) -> EnumDef:
        scalar = _SCALARS.get(declared.type, "")
        if scalar[:1] not in {"i", "u"}:
            raise self.error(f"enum {declared.name} on the type {declared.type}", declared.line)
        for label, number in declared.values.items():
            if number not in _range(scalar):
                raise self.error(f"{label} = {number} is no {declared.type}", declared.line)
        return EnumDef(declared.name, scalar, declared.values, _names(declared.values))

    def union(self, declared: DeclaredEnum) -> UnionDef:
        for label, number in declared.values.items():
            if label not in self.declared.tables or number not in _MEMBERS:
                message = f"{label} = {number} is no member of union {declared.name}"
                raise self.error(message, declared.line)
        values = {_NONE: 0, **declared.values}
        return UnionDef(declared.name, _names(declared.values), values, _names(values))

    def table(self, declared: DeclaredTable) -> TableDef:
        fields = tuple(self.fields(declared))
        by_name = {field.name: field for field in fields}
        if len(by_name) != len(fields):
            raise self.error(f"{declared.name} has two fields of one name", declared.line)
        return TableDef(declared.name, fields, by_name)

    def fields(self, table: DeclaredTable) -> Iterator[FieldDef]:
        """The fields with their slots; a union's type comes just before it."""
        items = table.fields
        if numbered := any("id" in item.attributes for item in items):
            items = tuple(sorted(items, key=lambda item: self.count(item, "id", -1)))
        slot = 0
        for item in items:
            deprecated = "deprecated" in item.attributes
            if item.type in self.unions:
                yield FieldDef(
                    f"{item.name}_type",
                    slot,
                    "scalar",
                    "u1",
                    item.type,
                    default=0,
                    deprecated=deprecated,
                )
                slot += 1
            if numbered and self.count(item, "id", -1) != slot:
                raise self.error(f"{item.name} must have (id: {slot})", item.line)
            yield self.field(item, slot, deprecated=deprecated)
            slot += 1

    def field(self, item: DeclaredField, slot: int, *, deprecated: bool) -> FieldDef:
        enum = self.enums.get(item.type)
        scalar = enum.scalar if enum else _SCALARS.get(item.type)
        is_table = item.type in self.declared.tables
        is_union = item.type in self.unions
        if is_union and item.vector:
            raise self.error(f"{item.name} is a vector of unions", item.line)
        if item.default is not None and (item.vector or scalar is None):
            raise self.error(f"{item.name} can have no default", item.line)
        if scalar is not None:
            kind = "scalar"
        elif is_table or is_union:
            kind = "table" if is_table else "union"
        elif item.type == "string":
            kind = "string"
        else:
            raise self.error(f"{item.name} has the unknown type {item.type}", item.line)
        return FieldDef(
            item.name,
            slot,
            f"vector_{kind}" if item.vector else kind,
            scalar,
            enum.name if enum else None,
            table=item.type if is_table else None,
            union=item.type if is_union else None,
            default=None if scalar is None or item.vector else self.default(item, scalar, enum),
            force_align=self.count(item, "force_align", 0),
            deprecated=deprecated,
        )

    def count(self, item: DeclaredField, attribute: str, absent: int) -> int:
        text = item.attributes.get(attribute)
        if text is None:
            return absent
        if not text.isdecimal():
            raise self.error(f"({attribute}: {text}) of {item.name} is no number", item.line)
        return int(text)

    def default(self, item: DeclaredField, scalar: str, enum: EnumDef | None) -> bool | int | float:
        text = item.default or "0"
        if enum is not None and text in enum.values:
            return enum.values[text]
        try:
            if scalar == "b1":
                return {"true": True, "false": False, "1": True, "0": False}[text]
            if scalar.startswith("f"):
                return float(text)
            number = int(text, 0)
            _range(scalar).index(number)  # raises ValueError where it does not fit
        except (KeyError, ValueError):
            message = f"{item.name} = {text} is no {item.type}"
            raise self.error(message, item.line) from None
        return number

    def parents_first(self) -> tuple[TableDef, ...]:
        order: list[TableDef] = []
        entered: set[str] = set()
        done: set[str] = set()

        def visit(name: str) -> None:
            if name in done:
                return
            if name in entered:
                line = self.declared.tables[name].line
                raise self.error(f"table {name} contains itself", line)
            entered.add(name)
            for field in self.tables[name].fields:
                children = self.unions[field.union].members.values() if field.union else ()
                for child in (field.table,) if field.table else children:
                    visit(child)
            done.add(name)
            order.append(self.tables[name])

        visit(self.declared.root)
        return tuple(reversed(order))


def _names(values: dict[str, int]) -> dict[int, str]:
    return {number: label for label, number in values.items()}


def _range(scalar: str) -> range:
    """The numbers of an integer type by its numpy code."""
    bits = 8 * int(scalar[1])
    return range(2**bits) if scalar[0] == "u" else range(-(2 ** (bits - 1)), 2 ** (bits - 1))


def parse(text: str, name: str = "schema") -> Schema:
    """Parses a schema in the FlatBuffers language, as far as tflite.fbs uses it.

    Args:
        text: the schema.
        name: what errors call it.

    Raises:
        FormatError: the text is no such schema; the message says which line.
    """
    return _Resolver(text, name).run()


@functools.cache
def schema() -> Schema:
    """The format of .tflite files.

    Raises:
        FileError: the package is installed without its schema.
        FormatError: the schema is damaged.
    """
    package = Path(__file__).resolve().parents[1]
    # In a wheel the schema lies in the package, in a checkout beside it.
    for folder in (package / "schema", package.parent / "schema"):
        path = folder / "tflite.fbs"
        if path.is_file():
            return parse(path.read_text("utf-8"), path.name)
    raise FileError(
        "the package is installed without its schema",
        place=Place(file="tflite.fbs"),
        hint="install tflite-sparse again",
    )
