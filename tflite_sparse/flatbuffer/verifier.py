"""Checks every offset, length and table of a file before anything in it is trusted.

All tables of one type are checked together with numpy, parents before children, so that the time
depends on the size of the schema and hardly on what the file claims. Every object is checked once,
however many references lead to it; how large the file would be as a tree is counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.errors import FormatError, Place
from tflite_sparse.flatbuffer.external import EXTERNAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.flatbuffer.schema import FieldDef, Schema, TableDef
    from tflite_sparse.flatbuffer.source import Source

    Ints = NDArray[np.int64]

__all__ = ["MAX_TABLES", "Unknown", "Verified", "verify"]

MAX_TABLES = 1_000_000
"""As many tables, counted as a tree, as FlatBuffers' own verifier accepts by default."""

_UOFFSET = 4
_VTABLE_HEADER = 4
_MAX_FLATBUFFER = 2**31 - 1
# Strings and vectors may be shared, but in a sound file they do not add up to much more than it:
# whoever reads them all must not be made to read the same megabytes a million times.
_LARGEST_MULTIPLE, _CLAIMED_ANYWAY = 8, 8 * 2**20


class Unknown(msgspec.Struct, frozen=True):
    """Something in the file that the schema has no name for.

    Attributes:
        table: name of the table that holds it.
        what: the slot or the union value.
        offset: byte offset of the table.
    """

    table: str
    what: str
    offset: int

    def __str__(self) -> str:
        return f"{self.what} of table {self.table} at offset {self.offset}"


class Verified(msgspec.Struct, frozen=True):
    """What the verifier found out on its way.

    Attributes:
        end: offset just after the last byte that belongs to the flatbuffer.
        tables: number of tables, counted as a tree.
        unknown: the fields and union members that the schema does not know, first of each kind.
        external: (offset, size) in bytes of each piece of data outside the flatbuffer, by offset.
    """

    end: int
    tables: int
    unknown: tuple[Unknown, ...]
    external: tuple[tuple[int, int], ...]


class _Verifier:
    def __init__(self, source: Source, schema: Schema) -> None:
        self.source = source
        self.schema = schema
        self.size = min(source.size, _MAX_FLATBUFFER)
        self.end = 8
        self.tables = 0.0
        self.claimed = 0.0
        self.unknown: list[Unknown] = []
        self.external: set[tuple[int, int]] = set()
        # Per table type: positions to check and how often the tree holds each.
        self.pending: defaultdict[str, list[tuple[Ints, NDArray[np.float64]]]] = defaultdict(list)

    def fail(self, message: str, offset: int) -> FormatError:
        return FormatError(
            message,
            place=Place(file=self.source.name, offset=int(offset)),
            hint="the file is damaged or cut short",
        )

    def require(self, good: NDArray[np.bool_], positions: Ints, message: str) -> None:
        if not good.all():
            raise self.fail(message, positions[int(np.argmin(good))])

    def numbers(self, positions: Ints, code: str, to: Any = np.int64) -> NDArray[Any]:
        """Little-endian numbers at any byte offsets, which must already be known to be inside."""
        width = np.dtype(code).itemsize
        # A view with one element at every byte offset makes unaligned gathers one index.
        every = np.ndarray(
            (self.source.size - width + 1,), np.dtype(code), self.source.data.data, 0, (1,)
        )
        gathered: NDArray[Any] = every[positions].astype(to)
        return gathered

    def run(self) -> Verified:
        root = int(self.numbers(np.zeros(1, np.int64), "<u4")[0])
        if root < _UOFFSET or root + _UOFFSET > self.size:
            raise self.fail(f"the root table would start at {root}, outside the file", 0)
        self.pending[self.schema.root.name].append((np.array([root]), np.ones(1)))
        for definition in self.schema.parents_first:
            places = self.pending.pop(definition.name, None)
            if not places:
                continue
            positions, inverse = np.unique(
                np.concatenate([where for where, _ in places]), return_inverse=True
            )
            times = np.bincount(inverse, np.concatenate([n for _, n in places])).astype(np.float64)
            self.tables += float(times.sum())
            if self.tables > MAX_TABLES:
                raise self.fail(f"the file claims more than {MAX_TABLES:,} tables", positions[0])
            self.check_tables(definition, positions, times)
            if self.claimed > _LARGEST_MULTIPLE * self.source.size + _CLAIMED_ANYWAY:
                raise self.fail(
                    f"its strings and vectors claim {self.claimed:,.0f} bytes together,"
                    f" the file has {self.source.size:,}",
                    positions[0],
                )
        external = tuple(sorted(self.external))
        return Verified(self.end, int(self.tables), tuple(self.unknown), external)

    def check_tables(self, table: TableDef, at: Ints, times: NDArray[np.float64]) -> None:
        name = table.name
        vtable = at - self.numbers(at, "<i4")
        self.require(
            (vtable >= 0) & (vtable + _VTABLE_HEADER <= self.size),
            at,
            f"the vtable of a {name} table lies outside the file",
        )
        vtable_size = self.numbers(vtable, "<u2")
        table_size = self.numbers(vtable + 2, "<u2")
        self.require(
            (vtable_size >= _VTABLE_HEADER)
            & (vtable_size % 2 == 0)
            & (vtable + vtable_size <= self.size),
            at,
            f"the vtable of a {name} table has an impossible size",
        )
        self.require(
            (table_size >= _UOFFSET) & (at + table_size <= self.size),
            at,
            f"a {name} table reaches outside the file",
        )
        self.reach(at + table_size)
        self.reach(vtable + vtable_size)
        self.note_unknown_slots(table, at, vtable, vtable_size)
        scalars: dict[str, NDArray[np.uint64]] = {}
        for field in table.fields:
            has = np.flatnonzero(vtable_size >= _VTABLE_HEADER + 2 * field.slot + 2)
            if not has.size:
                continue
            inside = self.numbers(vtable[has] + _VTABLE_HEADER + 2 * field.slot, "<u2")
            present = has[inside != 0]
            if not present.size:
                continue
            inside = inside[inside != 0]
            width = np.dtype(field.scalar).itemsize if field.kind == "scalar" else _UOFFSET
            self.require(
                (inside >= _UOFFSET) & (inside + width <= table_size[present]),
                at[present],
                f"field {field.name} of a {name} table lies outside the table",
            )
            position = at[present] + inside
            if field.kind == "scalar":
                if table.name in EXTERNAL and field.name in EXTERNAL[table.name]:
                    scalars[field.name] = np.zeros(at.size, np.uint64)
                    scalars[field.name][present] = self.numbers(position, "<u8", np.uint64)
                continue
            target = self.follow(position, f"{name}.{field.name}")
            if field.kind == "union":
                kinds = self.union_kinds(table, field, at[present], vtable[present])
                self.check_union(table, field, at[present], target, kinds, times[present])
            else:
                self.check_reference(field, f"{name}.{field.name}", target, times[present])
        if scalars:
            self.check_external(table, at, scalars, times)

    def check_external(
        self,
        table: TableDef,
        at: Ints,
        scalars: dict[str, NDArray[np.uint64]],
        times: NDArray[np.float64],
    ) -> None:
        fields = EXTERNAL[table.name]
        absent = np.zeros(at.size, np.uint64)
        offset = scalars.get(fields.offset, absent)
        size = scalars.get(fields.size, absent)
        used = offset > 1
        whole = np.uint64(self.source.size)
        self.require(
            ~used | ((offset <= whole) & (size <= whole - np.minimum(offset, whole))),
            at,
            f"the external data of a {table.name} table lies outside the file",
        )
        self.claimed += float((size[used] * times[used]).sum())
        self.external.update(zip(offset[used].tolist(), size[used].tolist(), strict=True))

    def follow(self, position: Ints, what: str) -> Ints:
        distance = self.numbers(position, "<u4")
        target = position + distance
        self.require(
            (distance >= _UOFFSET) & (target + _UOFFSET <= self.size),
            position,
            f"the offset of {what} leads outside the file",
        )
        return np.asarray(target, np.int64)

    def check_reference(
        self, field: FieldDef, what: str, target: Ints, times: NDArray[np.float64]
    ) -> None:
        if field.kind == "table":
            self.pending[str(field.table)].append((target, times))
            return
        if field.kind == "string":
            self.check_strings(target, what, times)
            return
        length = self.numbers(target, "<u4")
        width = np.dtype(field.scalar).itemsize if field.kind == "vector_scalar" else _UOFFSET
        end = target + _UOFFSET + length * width
        self.require(
            end <= self.size, target, f"the vector {what} is longer than the rest of the file"
        )
        self.reach(end)
        self.claimed += float((length * width * times).sum())
        if field.kind != "vector_scalar":
            self.check_elements(field, what, target, times)

    def check_elements(
        self, field: FieldDef, what: str, target: Ints, times: NDArray[np.float64]
    ) -> None:
        unique, inverse = np.unique(target, return_inverse=True)
        counted = np.bincount(inverse, times)
        length = self.numbers(unique, "<u4")
        total = int(length.sum())
        if total == 0:
            return
        # Vectors that do not overlap cannot hold more offsets than the file has room for.
        if total * _UOFFSET > self.size or float((length * counted).sum()) > MAX_TABLES:
            raise self.fail(f"the vectors {what} claim {total:,} elements", unique[0])
        first = np.repeat(unique + _UOFFSET, length)
        index = np.arange(total) - np.repeat(np.cumsum(length) - length, length)
        elements = self.follow(first + index * _UOFFSET, f"an element of {what}")
        if field.kind == "vector_string":
            self.check_strings(elements, what, np.repeat(counted, length))
        else:
            self.pending[str(field.table)].append((elements, np.repeat(counted, length)))

    def check_strings(self, target: Ints, what: str, times: NDArray[np.float64]) -> None:
        length = self.numbers(target, "<u4")
        end = target + _UOFFSET + length
        self.require(
            end < self.size, target, f"the string {what} is longer than the rest of the file"
        )
        self.require(
            self.source.data[end] == 0, target, f"the string {what} does not end in a zero byte"
        )
        self.reach(end + 1)
        self.claimed += float((length * times).sum())

    def union_kinds(self, table: TableDef, field: FieldDef, at: Ints, vtable: Ints) -> Ints:
        # The type's slot comes before the value's, so the vtable is known to hold it.
        slot = table.by_name[f"{field.name}_type"].slot
        inside = self.numbers(vtable + _VTABLE_HEADER + 2 * slot, "<u2")
        kinds = self.numbers(at + inside, "<u1")
        return np.where(inside == 0, 0, kinds)

    def check_union(
        self,
        table: TableDef,
        field: FieldDef,
        at: Ints,
        target: Ints,
        kinds: Ints,
        times: NDArray[np.float64],
    ) -> None:
        members = self.schema.unions[str(field.union)].members
        for kind in np.flatnonzero(np.bincount(kinds)).tolist():
            chosen = kinds == kind
            if kind in members:
                self.pending[members[kind]].append((target[chosen], times[chosen]))
            else:
                self.unknown.append(
                    Unknown(table.name, f"member {kind} in {field.name}", int(at[chosen][0]))
                )

    def note_unknown_slots(self, table: TableDef, at: Ints, vtable: Ints, size: Ints) -> None:
        known_fields = len(table.fields)
        slots = (size - _VTABLE_HEADER) // 2
        # Tables share vtables: look at each longer one once.
        longer, first = np.unique(vtable[slots > known_fields], return_index=True)
        for position, table_at in zip(
            longer.tolist(), at[slots > known_fields][first].tolist(), strict=True
        ):
            count = int(self.numbers(np.array([position]), "<u2")[0] - _VTABLE_HEADER) // 2
            entries = self.source.vector(position + _VTABLE_HEADER, count, "<u2")[known_fields:]
            used = np.flatnonzero(entries)
            if used.size:
                self.unknown.append(
                    Unknown(table.name, f"slot {known_fields + int(used[0])}", table_at)
                )
                return

    def reach(self, ends: Ints) -> None:
        self.end = max(self.end, int(ends.max()))


def verify(source: Source, schema: Schema) -> Verified:
    """Checks a whole file.

    Args:
        source: the bytes, at least eight.
        schema: the format.

    Raises:
        FormatError: an offset, length, vtable or string is impossible, the file claims more
            tables than `MAX_TABLES`, or many times its own size in strings and vectors.
    """
    return _Verifier(source, schema).run()
