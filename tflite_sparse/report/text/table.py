"""A table without lines, as wide as the terminal: one column gives way, all others stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.names import Apart, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

__all__ = ["Column", "table"]

_GUTTER = 2
_NARROWEST = 8


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        title: its heading.
        right: whether it is aligned to the right.
        gives_way: whether it is shortened where there is not enough room; one column is.
        style: how its cells look.
    """

    title: str
    right: bool = False
    gives_way: bool = False
    style: str = ""


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, indent: int = 2
) -> list[Text]:
    """The lines of a table, its heading first.

    Args:
        columns: the columns.
        rows: the cells of each row, one a column.
        width: the room for a line in characters.
        indent: blanks before each line.
    """
    from rich.text import Text

    widths = [
        max(len(column.title), *(len(row[i]) for row in rows), 0)
        for i, column in enumerate(columns)
    ]
    taken = indent + sum(widths) + _GUTTER * (len(columns) - 1)
    for i, column in enumerate(columns):
        if column.gives_way:
            widths[i] = max(_NARROWEST, min(widths[i], widths[i] + width - taken))
    apart = {i: Apart([row[i] for row in rows]) for i, c in enumerate(columns) if c.gives_way}
    lines = []
    for row, heading in [([c.title for c in columns], True), *((row, False) for row in rows)]:
        line = Text(" " * indent)
        for i, (cell, column) in enumerate(zip(row, columns, strict=True)):
            shown = (apart[i].short if i in apart else shorten)(cell, widths[i])
            padded = shown.rjust(widths[i]) if column.right else shown.ljust(widths[i])
            line.append(padded, "dim" if heading else column.style)
            if i + 1 < len(columns):
                line.append(" " * _GUTTER)
        line.rstrip()
        lines.append(line)
    return lines
