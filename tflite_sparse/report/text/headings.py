"""The shapes that text reports are made of: headings, and labels with what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tflite_sparse.report.names import shorten
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

__all__ = ["Lines", "heading", "labelled", "linked", "sentence"]

Lines: TypeAlias = "list[Text]"

_LABEL = 12
_BETWEEN = " · "


def heading(left: str, right: str, width: int, *, path: bool = True) -> Text:
    """A line with a title and a note at its right end.

    Args:
        left: the title.
        right: the note, which stays whole.
        width: the room for the line.
        path: whether the title may be shortened in its middle.
    """
    from rich.text import Text

    room = max(8, width - len(right) - 2)
    title = shorten(left, room) if path else left
    line = Text(title, "bold")
    if right:
        line.append(" " * max(2, width - len(title) - len(right)))
        line.append(right, "bold" if path else "dim")
    return line


def sentence(words: str, width: int) -> Lines:
    """Words with a capital and a full stop, on lines of their own."""
    from rich.text import Text

    rows = wrapped(f"{words[:1].upper()}{words[1:]}.", max(20, width - 2))
    return [Text(f"  {row}") for row in rows]


def linked(label: str, page: str) -> Lines:
    """A label and the address of a page of the documentation, which stays whole at any width.

    Args:
        label: what the page is for.
        page: its path below the documentation's address.
    """
    from rich.text import Text

    return [Text.assemble((f"  {label:<{_LABEL}}", "dim"), f"{DOCS}/{page}")]


def labelled(
    label: str, items: Sequence[str], width: int, most: int = 0, *, style: str = ""
) -> Lines:
    """A label and its items, wrapped between items with the label's column kept free.

    Args:
        label: what the items are; one that does not fit into its column has a line of its own.
        items: short texts; one that does not fit into a line is wrapped between words,
            and a word that does not fit is shortened in its middle.
        width: the room for a line.
        most: how many items to show; 0 for all.
        style: how the items look.
    """
    from rich.text import Text

    room = max(16, width - _LABEL - 2)
    shown = list(items[:most]) if most and len(items) > most else list(items)
    if len(shown) < len(items):
        shown.append(f"and {len(items) - len(shown)} more")
    rows: list[str] = []
    for item in shown:
        if len(item) > room:
            rows += [shorten(row, room) for row in wrapped(item, room, long_words=False)]
        elif rows and len(rows[-1]) + len(_BETWEEN) + len(item) <= room:
            rows[-1] += _BETWEEN + item
        else:
            rows.append(item)
    alone = [label] if rows and len(label) >= _LABEL else []
    first = "" if alone else label
    return [
        *(Text(f"  {shorten(text, max(16, width - 2))}", "dim") for text in alone),
        *(
            Text.assemble((f"  {first if i == 0 else '':<{_LABEL}}", "dim"), (row, style))
            for i, row in enumerate(rows)
        ),
    ]
