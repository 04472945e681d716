"""The format as data: what schema/tflite.fbs says, parsed once when it is first needed."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tflite_sparse.errors import FormatError, Place

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
}
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)|(?P<text>"[^"\n]*"|-?[\w.]+|[{}\[\]():;,=])|(?P<other>.)""",
    re.VERBOSE,
)
_NONE = "NONE"


@dataclass(frozen=True, slots=True)
class FieldDef:
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
    default: Any = None
    force_align: int = 0
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class TableDef:
    """A table: its name and its fields by slot."""

    name: str
    fields: tuple[FieldDef, ...]
    by_name: dict[str, FieldDef]


@dataclass(frozen=True, slots=True)
class EnumDef:
    """An enum: numpy code of its numbers, and names and numbers both ways."""

    name: str
    scalar: str
    values: dict[str, int]
    names: dict[int, str]


@dataclass(frozen=True, slots=True)
class UnionDef:
    """A union: the table of each type number, and an enum of its types with NONE = 0."""

    name: str
    members: dict[int, str]
    values: dict[str, int]
    names: dict[int, str]
    scalar: str = "u1"


@dataclass(frozen=True, slots=True)
class Schema:
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


@dataclass(frozen=True, slots=True)
class _Declared:
    """A field as it is written."""

    name: str
    type: str
    vector: bool
    default: str | None
    attributes: dict[str, str]


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        # Tokens with their offsets, last first, so that the next one is popped.
        self.tokens: list[tuple[str, int]] = []
        for match in _TOKEN.finditer(text):
            if match["other"] is not None:
                raise self.error(f"unexpected {match['other']!r}", match.start())
            if match["text"] is not None:
                self.tokens.append((match["text"], match.start()))
        self.tokens.reverse()
        self.at = 0
        self.enums: dict[str, EnumDef] = {}
        self.unions: dict[str, UnionDef] = {}
        self.declared: dict[str, list[_Declared]] = {}
        self.root = ""
        self.identifier = b""

    def error(self, message: str, at: int | None = None) -> FormatError:
        line = self.text.count("\n", 0, self.at if at is None else at) + 1
        return FormatError(f"line {line}: {message}", place=Place(file=self.name))

    def take(self, *wanted: str) -> str:
        if not self.tokens:
            raise self.error("unexpected end of the schema")
        token, self.at = self.tokens.pop()
        if wanted and token not in wanted:
            raise self.error(f"{' or '.join(wanted)} wanted, {token} found")
        return token

    def accept(self, token: str) -> bool:
        if self.tokens and self.tokens[-1][0] == token:
            self.take()
            return True
        return False

    def run(self) -> None:
        readers = {"enum": self.enum, "union": self.union, "table": self.table}
        while self.tokens:
            word = self.take()
            if word in readers:
                readers[word]()
                continue
            value = self.take()
            if word == "root_type":
                self.root = value
            elif word == "file_identifier":
                self.identifier = value.strip('"').encode()
            elif word not in {"namespace", "file_extension", "attribute"}:
                raise self.error(f"unknown declaration {word}")
            self.take(";")

    def numbered(self, first: int) -> dict[str, int]:
        """The body of an enum or union: names with their numbers."""
        values: dict[str, int] = {}
        number = first
        self.take("{")
        while not self.accept("}"):
            name = self.take()
            number = int(self.take()) if self.accept("=") else number
            self.attributes()
            values[name] = number
            number += 1
            if self.take(",", "}") == "}":
                break
        return values

    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.accept("("):
            while True:
                name = self.take()
                found[name] = self.take() if self.accept(":") else ""
                if self.take(",", ")") == ")":
                    break
        return found

    def enum(self) -> None:
        name = self.take()
        self.take(":")
        scalar = _SCALARS[self.take(*_SCALARS)]
        values = self.numbered(0)
        names = {number: label for label, number in values.items()}
        self.enums[name] = EnumDef(name, scalar, values, names)

    def union(self) -> None:
        name = self.take()
        values = {_NONE: 0, **self.numbered(1)}
        names = {number: label for label, number in values.items()}
        members = {number: label for number, label in names.items() if number}
        self.unions[name] = UnionDef(name, members, values, names)

    def table(self) -> None:
        name = self.take()
        self.take("{")
        fields = self.declared[name] = []
        while not self.accept("}"):
            field = self.take()
            self.take(":")
            vector = self.accept("[")
            kind = self.take()
            if vector:
                self.take("]")
            default = self.take() if self.accept("=") else None
            attributes = self.attributes()
            self.take(";")
            fields.append(_Declared(field, kind, vector, default, attributes))

    def fields(self, table: str) -> tuple[FieldDef, ...]:
        """The fields of a table with their slots, after all names are known."""
        found: list[FieldDef] = []
        for item in self.declared[table]:
            if item.type in self.unions:
                found.append(
                    FieldDef(f"{item.name}_type", len(found), "scalar", "u1", item.type, default=0)
                )
            found.append(self.field(item, len(found), table))
        return tuple(found)

    def field(self, item: _Declared, slot: int, table: str) -> FieldDef:
        deprecated = "deprecated" in item.attributes
        if item.type in self.unions:
            return FieldDef(item.name, slot, "union", union=item.type, deprecated=deprecated)
        if item.type == "string" or item.type in self.declared:
            kind = "string" if item.type == "string" else "table"
            refers = None if kind == "string" else item.type
            return FieldDef(
                item.name,
                slot,
                f"vector_{kind}" if item.vector else kind,
                table=refers,
                deprecated=deprecated,
            )
        enum = self.enums.get(item.type)
        scalar = enum.scalar if enum else _SCALARS.get(item.type)
        if scalar is None:
            raise self.error(f"{table}.{item.name} has the unknown type {item.type}")
        return FieldDef(
            item.name,
            slot,
            "vector_scalar" if item.vector else "scalar",
            scalar,
            enum.name if enum else None,
            default=None if item.vector else _default(item.default, scalar, enum),
            force_align=int(item.attributes.get("force_align", 0)),
            deprecated=deprecated,
        )


def _default(text: str | None, scalar: str, enum: EnumDef | None) -> bool | int | float:
    if scalar == "b1":
        return text == "true"
    if scalar.startswith("f"):
        return float(text or 0)
    if text is not None and enum is not None and text in enum.values:
        return enum.values[text]
    return int(text or 0)


def _parents_first(
    root: str, tables: dict[str, TableDef], unions: dict[str, UnionDef]
) -> tuple[TableDef, ...]:
    order: list[TableDef] = []
    entered: set[str] = set()
    done: set[str] = set()

    def visit(name: str) -> None:
        if name in done:
            return
        if name in entered:
            raise FormatError(f"table {name} contains itself")
        entered.add(name)
        for field in tables[name].fields:
            children = unions[field.union].members.values() if field.union else ()
            for child in (field.table,) if field.table else children:
                visit(child)
        done.add(name)
        order.append(tables[name])

    visit(root)
    return tuple(reversed(order))


def parse(text: str, name: str = "schema") -> Schema:
    """Parses a schema in the FlatBuffers language, as far as tflite.fbs uses it.

    Args:
        text: the schema.
        name: what errors call it.

    Raises:
        FormatError: the text is no such schema; the message says which line.
    """
    parser = _Parser(text, name)
    parser.run()
    tables = {}
    for table in parser.declared:
        fields = parser.fields(table)
        tables[table] = TableDef(table, fields, {field.name: field for field in fields})
    if parser.root not in tables:
        raise parser.error("the schema names no root table")
    return Schema(
        tables,
        parser.enums,
        parser.unions,
        tables[parser.root],
        parser.identifier,
        _parents_first(parser.root, tables, parser.unions),
    )


@functools.cache
def schema() -> Schema:
    """The format of .tflite files."""
    package = Path(__file__).resolve().parents[1]
    # In a wheel the schema lies in the package, in a checkout beside it.
    folders = (package / "schema", package.parent / "schema")
    path = next(f / "tflite.fbs" for f in folders if (f / "tflite.fbs").is_file())
    return parse(path.read_text("utf-8"), path.name)
