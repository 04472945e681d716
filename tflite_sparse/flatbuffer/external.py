"""Data that a table keeps outside the flatbuffer: two fields of it give its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tflite_sparse.flatbuffer.table import Table

__all__ = ["EXTERNAL", "ExternalFields", "external_range"]


class ExternalFields(NamedTuple):
    """Names of the fields that locate data outside the flatbuffer.

    Attributes:
        offset: bytes from the start of the file; 0 and 1 mean that there is no such data.
        size: number of bytes.
        inside: the field that holds the same data when it lies inside the flatbuffer.
    """

    offset: str
    size: str
    inside: str


EXTERNAL = {
    "Buffer": ExternalFields("offset", "size", "data"),
    "Operator": ExternalFields(
        "large_custom_options_offset", "large_custom_options_size", "custom_options"
    ),
}
"""Per table the fields that locate its external data."""


def external_range(table: Table) -> tuple[int, int] | None:
    """Where the external data of a table lies: (offset, size) in bytes, or None without any.

    Data inside the flatbuffer, even none, goes before: the runtime then looks nowhere else.
    """
    fields = EXTERNAL.get(table.name)
    if fields is None or table[fields.offset] <= 1 or fields.inside in table:
        return None
    return table[fields.offset], table[fields.size]
