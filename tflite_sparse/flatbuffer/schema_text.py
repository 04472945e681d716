"""Reads the FlatBuffers schema language, as far as the format needs it: text to declarations."""

from __future__ import annotations

import re

import msgspec

from tflite_sparse.errors import FormatError, Place

__all__ = [
    "Declarations",
    "DeclaredEnum",
    "DeclaredField",
    "DeclaredTable",
    "declarations",
    "error",
]

_TOKEN = re.compile(
    r"""(?:\s+|//[^\n]*|/\*.*?\*/)+
    |(?P<text>"[^"\n]*"|-?\d[\w.]*(?:(?<=[eE])[-+]\d+)?|[A-Za-z_][\w.]*|[{}\[\]():;,=])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_STRING = re.compile(r'"[^"]*"')
# Declarations that say nothing about the layout of a file.
_IGNORED = frozenset({"namespace", "file_extension", "attribute"})


class DeclaredField(msgspec.Struct, frozen=True):
    """A field as it is written; `line` counts from 1, `slot` is its (id: n) if it has one."""

    name: str
    type: str
    vector: bool
    default: str | None
    attributes: dict[str, str]
    line: int


class DeclaredTable(msgspec.Struct, frozen=True):
    """A table as it is written."""

    name: str
    fields: tuple[DeclaredField, ...]
    line: int


class DeclaredEnum(msgspec.Struct, frozen=True):
    """An enum with its base type, or a union with the base type ""."""

    name: str
    type: str
    values: dict[str, int]
    line: int


class Declarations(msgspec.Struct, eq=False):
    """All that a schema declares, in its order.

    Attributes:
        tables: tables by name.
        enums: enums by name.
        unions: unions by name; members are numbered from 1.
        root: name of the root table, "" where none is named.
        identifier: the four bytes at offset 4 of a file, empty where none are named.
    """

    tables: dict[str, DeclaredTable] = msgspec.field(default_factory=dict)
    enums: dict[str, DeclaredEnum] = msgspec.field(default_factory=dict)
    unions: dict[str, DeclaredEnum] = msgspec.field(default_factory=dict)
    root: str = ""
    identifier: bytes = b""


def error(message: str, line: int, name: str) -> FormatError:
    """The error for a place in a schema."""
    return FormatError(f"line {line}: {message}", place=Place(file=name))


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        # Tokens with their offsets, last first, so that the next one is popped.
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        for match in _TOKEN.finditer(text):
            if match["other"] is not None:
                raise self.error(f"unexpected {match['other']!r}", match.start())
            if match["text"] is not None:
                self.tokens.append((match["text"], match.start()))
        self.tokens.reverse()
        self.declared = Declarations()
        # Lines are counted on from the last one asked for; asking goes forwards.
        self.counted = (0, 1)

    def error(self, message: str, at: int | None = None) -> FormatError:
        line = self.text.count("\n", 0, self.at if at is None else at) + 1
        return error(message, line, self.name)

    @property
    def line(self) -> int:
        start, line = self.counted
        line += self.text.count("\n", start, self.at)
        self.counted = (self.at, line)
        return line

    def take(self, *wanted: str) -> str:
        if not self.tokens:
            self.at = len(self.text)
            raise self.error("unexpected end of the schema")
        token, self.at = self.tokens.pop()
        if wanted and token not in wanted:
            raise self.error(f"{' or '.join(wanted)} wanted, {token} found")
        return token

    def accept(self, token: str) -> bool:
        if self.tokens and self.tokens[-1][0] == token:
            self.at = self.tokens.pop()[1]
            return True
        return False

    def word(self) -> str:
        token = self.take()
        if not _NAME.fullmatch(token):
            raise self.error(f"a name wanted, {token} found")
        return token

    def fresh(self) -> str:
        """The name of a new table, enum or union."""
        name = self.word()
        declared = self.declared
        if name in declared.tables or name in declared.enums or name in declared.unions:
            raise self.error(f"{name} is declared twice")
        return name

    def run(self) -> Declarations:
        readers = {"enum": self.enum, "union": self.union, "table": self.table}
        while self.tokens:
            keyword = self.word()
            if keyword in readers:
                readers[keyword]()
                continue
            if keyword == "root_type":
                self.declared.root = self.word()
            elif keyword == "file_identifier":
                self.declared.identifier = self.file_identifier()
            elif keyword in _IGNORED:
                self.take()
            else:
                raise self.error(f"unknown declaration {keyword}")
            self.take(";")
        return self.declared

    def file_identifier(self) -> bytes:
        token = self.take()
        identifier = token[1:-1].encode()
        if not _STRING.fullmatch(token) or len(identifier) != 4:  # noqa: PLR2004 - by the format
            raise self.error(f"four characters in quotes wanted, {token} found")
        return identifier

    def enum(self) -> None:
        name, line = self.fresh(), self.line
        self.take(":")
        kind = self.word()
        self.attributes()
        self.declared.enums[name] = DeclaredEnum(name, kind, self.numbered(0), line)

    def union(self) -> None:
        name, line = self.fresh(), self.line
        self.attributes()
        self.declared.unions[name] = DeclaredEnum(name, "", self.numbered(1), line)

    def numbered(self, first: int) -> dict[str, int]:
        """The body of an enum or union: names, each one more than the last or with its number."""
        values: dict[str, int] = {}
        number = first
        self.take("{")
        while not self.accept("}"):
            name = self.word()
            if self.accept("="):
                number = self.integer()
            if name in values or number in values.values():
                raise self.error(f"{name} = {number} stands here twice")
            values[name] = number
            number += 1
            self.attributes()
            if self.take(",", "}") == "}":
                break
        return values

    def integer(self) -> int:
        token = self.take()
        try:
            return int(token, 0)
        except ValueError:
            raise self.error(f"a whole number wanted, {token} found") from None

    def attributes(self) -> dict[str, str]:
        attributes: dict[str, str] = {}
        if self.accept("("):
            while True:
                name = self.word()
                attributes[name] = self.take() if self.accept(":") else ""
                if self.take(",", ")") == ")":
                    break
        return attributes

    def table(self) -> None:
        name, line = self.fresh(), self.line
        self.attributes()
        self.take("{")
        fields: dict[str, DeclaredField] = {}
        while not self.accept("}"):
            item = self.field()
            if item.name in fields:
                raise self.error(f"{name} has two fields {item.name}")
            fields[item.name] = item
        self.declared.tables[name] = DeclaredTable(name, tuple(fields.values()), line)

    def field(self) -> DeclaredField:
        name, line = self.word(), self.line
        self.take(":")
        vector = self.accept("[")
        kind = self.word()
        if vector:
            self.take("]")
        default = self.take() if self.accept("=") else None
        attributes = self.attributes()
        self.take(";")
        return DeclaredField(name, kind, vector, default, attributes, line)


def declarations(text: str, name: str = "schema") -> Declarations:
    """Reads a schema, without asking what its names refer to.

    Known are tables, enums, unions of tables, fields with defaults and attributes, comments, and
    the declarations of namespace, attributes, file and root; no structs and no services.

    Args:
        text: the schema.
        name: what errors call it.

    Raises:
        FormatError: the text is no such schema; the message says which line.
    """
    return _Reader(text, name).run()
