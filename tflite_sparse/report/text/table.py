"""A table without lines, as wide as the terminal: one column gives way, the others stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.names import Apart, shorten
from tflite_sparse.words.wrapping import wrapped

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
        wraps: whether its cells go on in the next line then, as sentences must that are to be read.
        style: how its cells look.
    """

    title: str
    right: bool = False
    gives_way: bool = False
    wraps: bool = False
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
        cells = [
            _wrapped(cell, widths[i])
            if column.wraps
            else [(apart[i].short if i in apart else shorten)(cell, widths[i])]
            for i, (cell, column) in enumerate(zip(row, columns, strict=True))
        ]
        for number in range(max(map(len, cells))):
            line = Text(" " * indent)
            for i, (parts, column) in enumerate(zip(cells, columns, strict=True)):
                shown = parts[number] if number < len(parts) else ""
                padded = shown.rjust(widths[i]) if column.right else shown.ljust(widths[i])
                line.append(padded, "dim" if heading else column.style)
                if i + 1 < len(columns):
                    line.append(" " * _GUTTER)
            line.rstrip()
            lines.append(line)
    return lines


def _wrapped(cell: str, width: int) -> list[str]:
    """A cell in lines of its column; a word that is longer is cut in its middle."""
    rows = wrapped(cell, width, rest="  ", long_words=False)
    return [shorten(row, width) for row in rows] or [""]
