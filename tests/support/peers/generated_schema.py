"""The format as a module of generated readers knows it, found out by running those readers.

The module's own code is driven: its accessors with a table that notes what is read from it, its
builder functions with a builder that notes what is written. No source text is read.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from flatbuffers import number_types

if TYPE_CHECKING:
    from types import ModuleType

    from tflite_sparse.flatbuffer.schema import FieldDef, Schema

__all__ = ["Form", "FormField", "differences", "form_of_module", "form_of_schema"]

_CODES = {
    number_types.BoolFlags: "b1",
    number_types.Int8Flags: "i1",
    number_types.Uint8Flags: "u1",
    number_types.Int16Flags: "i2",
    number_types.Uint16Flags: "u2",
    number_types.Int32Flags: "i4",
    number_types.Uint32Flags: "u4",
    number_types.Int64Flags: "i8",
    number_types.Uint64Flags: "u8",
    number_types.Float32Flags: "f4",
    number_types.Float64Flags: "f8",
}
_WRITERS = {
    f"Prepend{flags.__name__.removesuffix('Flags')}Slot": code for flags, code in _CODES.items()
}
_REFERENCE = "PrependUOffsetTRelativeSlot"


@dataclass(frozen=True, slots=True)
class FormField:
    """What generated code shows of a field: `type` is a numpy code or a table's or union's name."""

    slot: int
    kind: str
    type: str
    default: float | None


@dataclass(frozen=True, slots=True)
class Form:
    """A format in the terms in which two statements of it are compared.

    Attributes:
        slots: number of slots of each table, deprecated ones too.
        fields: by table and CamelCase name, the fields that are not deprecated.
        values: by enum or union and name, the numbers.
        identifier: the four bytes at offset 4.
    """

    slots: dict[str, int] = field(default_factory=dict)
    fields: dict[str, dict[str, FormField]] = field(default_factory=dict)
    values: dict[str, dict[str, int]] = field(default_factory=dict)
    identifier: bytes = b""


def form_of_schema(schema: Schema) -> Form:
    """The project's own statement of the format."""
    return Form(
        slots={
            name: table.fields[-1].slot + 1 if table.fields else 0
            for name, table in schema.tables.items()
        },
        fields={
            name: {
                _camel(item.name): _form_field(item) for item in table.fields if not item.deprecated
            }
            for name, table in schema.tables.items()
        },
        values={
            name: dict(definition.values)
            for name, definition in (schema.enums | schema.unions).items()
        },
        identifier=schema.identifier,
    )


def form_of_module(module: ModuleType) -> Form:
    """The format as generated code has it.

    Args:
        module: classes of tables, enums and unions, and builder functions, all at its top level.
            Where it has the object API too, the union of each union field is known, else "".
    """
    classes = {name: item for name, item in vars(module).items() if inspect.isclass(item)}
    form = Form()
    for name, cls in classes.items():
        if hasattr(module, f"{name}Start"):
            form.slots[name] = _written(getattr(module, f"{name}Start"))[0][1]
            form.fields[name] = _fields(module, name)
        elif values := {
            label: number for label, number in vars(cls).items() if isinstance(number, int)
        }:
            form.values[name] = values
    identifiers = _identifiers(classes["Model"])
    return Form(form.slots, form.fields, form.values, identifiers)


def differences(ours: Form, theirs: Form, *, complete: bool) -> list[str]:
    """What differs, a line each.

    Args:
        ours: one form.
        theirs: the form it is held against.
        complete: whether all of `ours` must be in `theirs` too; else `theirs` may lag: its tables
            may end earlier, and it may lack tables, enums, and values.
    """
    found: list[str] = []
    if ours.identifier != theirs.identifier:
        found.append(f"identifier: {ours.identifier!r} != {theirs.identifier!r}")
    sections: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("fields", _flat(ours.fields), _flat(theirs.fields)),
        ("values", _flat(ours.values), _flat(theirs.values)),
        ("tables", ours.slots, theirs.slots),
        ("enums", dict.fromkeys(ours.values), dict.fromkeys(theirs.values)),
    )
    for section, left, right in sections:
        found += [f"{section}: {key} is missing" for key in right.keys() - left.keys()]
        if complete:
            found += [f"{section}: {key} is extra" for key in left.keys() - right.keys()]
        for key in left.keys() & right.keys():
            a, b = left[key], right[key]
            if section == "tables" and not complete:
                a = min(a, b)
            if section == "fields" and b.type == "":
                a = FormField(a.slot, a.kind, "", a.default)
            if a != b:
                found.append(f"{section}: {key}: {a} != {b}")
    return sorted(found)


def _flat(nested: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        f"{outer}.{inner}": value
        for outer, found in nested.items()
        for inner, value in found.items()
    }


def _camel(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _form_field(item: FieldDef) -> FormField:
    refers = item.table or item.union or item.scalar or "string"
    return FormField(item.slot, item.kind, refers, item.default)


class _NotingBuilder:
    """A flatbuffers Builder that notes the name and arguments of every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))


class _NotingTable:
    """A flatbuffers Table that notes how a field is read, as present or as absent.

    Only the first read counts: the tflite package's accessor of the operator's code goes on to the
    older field.
    """

    Bytes = b""
    Pos = 0

    def __init__(self, *, present: bool) -> None:
        self.present = present
        self.slot = -1
        self.calls: list[str] = []
        self.code = ""

    def Offset(self, entry: int) -> int:  # noqa: N802 - the name that generated code calls
        # A vtable starts with two sizes, two bytes each.
        if self.slot < 0:
            self.slot = (entry - 4) // 2
        return entry if self.present else 0

    def Get(self, flags: type, _position: int) -> int:  # noqa: N802 - as above
        self.code = self.code or _CODES[flags]
        return 1

    def __getattr__(self, name: str) -> Any:
        def note(*_arguments: Any) -> int:
            self.calls.append(name)
            return 1

        return note


def _written(function: Any, *arguments: int) -> list[tuple[Any, ...]]:
    builder = _NotingBuilder()
    function(builder, *arguments)
    return builder.calls


def _read(cls: type, accessor: str, *, present: bool) -> tuple[_NotingTable, Any]:
    reader: Any = cls()
    noting = _NotingTable(present=present)
    reader._tab = noting
    function = getattr(reader, accessor)
    # The accessor of a vector takes the index of an element.
    return noting, function(*(0 for _ in inspect.signature(function).parameters))


def _fields(module: ModuleType, table: str) -> dict[str, FormField]:
    prefix = f"{table}Add"
    unions = _unions(module, table)
    found = {}
    for function in [name for name in vars(module) if name.startswith(prefix)]:
        name = function.removeprefix(prefix)
        ((writer, slot, _, written),) = _written(getattr(module, function), 1)
        shown = _field(getattr(module, table), name, unions)
        reference = shown.kind != "scalar"
        assert writer == _REFERENCE if reference else _WRITERS[writer] == shown.type, function
        assert (slot, written) == (shown.slot, 0 if reference else shown.default), function
        found[name] = shown
    return found


def _field(cls: type, name: str, unions: dict[str, str]) -> FormField:
    noting, value = _read(cls, name, present=True)
    kind = refers = "string"
    default = None
    if noting.code:
        kind, refers = "scalar", noting.code
    elif "Union" in noting.calls:
        kind, refers = "union", unions.get(name, "")
    elif "Indirect" in noting.calls:
        kind, refers = "table", type(value).__name__
    else:
        assert "String" in noting.calls, name
    if "Vector" in noting.calls:
        kind = f"vector_{kind}"
    elif kind == "scalar":
        default = _read(cls, name, present=False)[1]
    return FormField(noting.slot, kind, refers, default)


def _unions(module: ModuleType, table: str) -> dict[str, str]:
    """The union of each union field, as the object API resolves it."""
    unpacked = getattr(module, f"{table}T", None)
    if unpacked is None:
        return {}
    suffix = "Creator"
    marks = {
        name: mock.Mock(return_value=("union", name.removesuffix(suffix)))
        for name in vars(module)
        if name.endswith(suffix)
    }
    with mock.patch.multiple(module, **marks):
        # Every vector of the mock says that it is None, every table is one more mock.
        made = unpacked.InitFromObj(mock.MagicMock())
    return {
        name[:1].upper() + name[1:]: value[1]
        for name, value in vars(made).items()
        if isinstance(value, tuple)
    }


def _identifiers(root: type) -> bytes:
    with mock.patch("flatbuffers.util.BufferHasIdentifier") as check:
        root.ModelBufferHasIdentifier(b"", 0)  # type: ignore[attr-defined] # generated
    identifier: bytes = check.call_args.args[2]
    return identifier
