"""Edits of the tables of a model: the file stays well formed, what it says becomes nonsense."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fuzz.damage import EDGES
from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    import random

    from tflite_sparse.flatbuffer.schema import FieldDef

__all__ = ["edited"]

_MOST_EDITS = 3
_DEEPER = 0.8
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e30, float("inf"), float("-inf"), float("nan"))
_STRINGS = ("", "x" * 70_000, "a\nb\x1b[31m", "\udcff\udc80", "ω" * 9, "serving_default", "\0")
_MANY = 100
_LARGEST_VECTOR = 1 << 16


def edited(data: bytes, chance: random.Random) -> tuple[bytes, list[str]]:
    """A model with some fields of some tables changed, and which.

    Args:
        data: the model; what cannot be read comes back as it is.
        chance: what to draw from.
    """
    try:
        file = FlatFile.read(data)
    except TfliteSparseError:
        return data, []
    said = []
    for _ in range(chance.randint(1, _MOST_EDITS)):
        table = _somewhere(file.root, chance)
        fields = list(table.definition.fields)
        if not fields:
            continue
        stored = [field for field in table if field.name in table]
        # Seldom fields that are not there, too.
        field = chance.choice(stored if stored and chance.random() < 0.85 else fields)
        if _belongs_to_union(table, field):
            continue
        _EDIT[field.kind](table, field, chance)
        said.append(f"edit {table.name}.{field.name}")
    target = io.BytesIO()
    try:
        file.write(target)
    except TfliteSparseError:
        return data, []
    return target.getvalue(), said


def _belongs_to_union(table: Table, field: FieldDef) -> bool:
    # The type of a union is set with its value.
    return field.name.endswith("_type") and field.name.removesuffix("_type") in {
        f.name for f in table.definition.fields if f.kind == "union"
    }


def _somewhere(table: Table, chance: random.Random) -> Table:
    while chance.random() < _DEEPER:
        below: list[list[Table]] = []
        for field in table:
            value = table[field.name]
            if isinstance(value, Table):
                below.append([value])
            elif field.kind == "vector_table" and value:
                below.append(value)
        if not below:
            break
        table = chance.choice(chance.choice(below))
    return table


def _number(field: FieldDef, chance: random.Random, old: Any) -> Any:
    kind = np.dtype(str(field.scalar))
    if kind.kind == "b":
        return not old
    if kind.kind == "f":
        return float(np.array(chance.choice((*_FLOATS, old)), kind))
    if field.enum in schema().enums and chance.random() < 0.7:
        return chance.choice(sorted(schema().enums[str(field.enum)].names))
    near = int(old) + chance.choice((-2, -1, 1, 2))
    value = chance.choice((near, near, chance.choice(EDGES), -chance.choice(EDGES)))
    limits = np.iinfo(kind)
    return min(max(value, int(limits.min)), int(limits.max))


def _scalar(table: Table, field: FieldDef, chance: random.Random) -> None:
    table[field.name] = _number(field, chance, table[field.name])


def _string(table: Table, field: FieldDef, chance: random.Random) -> None:
    table[field.name] = chance.choice((*_STRINGS, None))


def _numbers(table: Table, field: FieldDef, chance: random.Random) -> None:
    old = table[field.name]
    kind = np.dtype(str(field.scalar)).newbyteorder("<")
    values = np.zeros(0, kind) if old is None else np.array(old[:_LARGEST_VECTOR], kind)
    way = chance.randrange(7)
    if way == 0 or not values.size:
        table[field.name] = chance.choice((None, values[:0], np.ones(3, kind)))
        return
    if way == 1:
        values = values[: chance.randrange(values.size)]
    elif way == 2:
        values = np.concatenate([values, values[: chance.randint(1, 4)]])
    elif way == 3:
        values = values[::-1].copy()
    else:
        place = chance.randrange(values.size)
        values[place] = _number(field, chance, values[place].item())
    table[field.name] = values


def _table(table: Table, field: FieldDef, chance: random.Random) -> None:
    table[field.name] = None if chance.random() < 0.5 else Table(str(field.table))


def _union(table: Table, field: FieldDef, chance: random.Random) -> None:
    members = sorted(schema().unions[str(field.union)].members.values())
    table[field.name] = None if chance.random() < 0.3 else Table(chance.choice(members))


def _tables(table: Table, field: FieldDef, chance: random.Random) -> None:
    items = list(table[field.name] or [])
    way = chance.randrange(6)
    if not items or way == 0:
        table[field.name] = chance.choice((None, [], [Table(str(field.table))]))
        return
    place, second = chance.randrange(len(items)), chance.randrange(len(items))
    if way == 1:
        del items[place]
    elif way == 2:
        items.insert(second, items[place])
    elif way == 3:
        heavy = any(f.kind == "vector_table" for f in items[place].definition.fields)
        items += [items[place].copy()] * chance.choice((1, 3 if heavy else _MANY))
    elif way == 4:
        items[place], items[second] = items[second], items[place]
    else:
        items[place] = Table(str(field.table))
    table[field.name] = items


def _strings(table: Table, field: FieldDef, chance: random.Random) -> None:
    table[field.name] = [chance.choice(_STRINGS) for _ in range(chance.randrange(4))]


_EDIT = {
    "scalar": _scalar,
    "string": _string,
    "vector_scalar": _numbers,
    "vector_string": _strings,
    "table": _table,
    "union": _union,
    "vector_table": _tables,
}
