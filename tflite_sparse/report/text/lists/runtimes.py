"""Runtimes that can be installed, for people."""

from __future__ import annotations

import os.path
import textwrap
from typing import TYPE_CHECKING

from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from tflite_sparse.runtime.packages.bundles import BundleState

__all__ = ["runtimes_lines"]

_OUTDATED = "another version of this program installed it, of other packages"


def runtimes_lines(states: Sequence[BundleState], width: int) -> Iterator[Text | str]:
    """The lines of the table.

    Args:
        states: what there is of each.
        width: columns of the terminal.
    """
    columns = [
        Column("name"),
        Column("what", gives_way=True),
        Column("size", right=True),
    ]
    rows = [[s.name, s.title, size(s.bytes) if s.installed else "-"] for s in states]
    yield from table(columns, rows, width)
    places = [state.place for state in states if state.installed]
    if places:
        yield f"  kept in {os.path.commonpath(places)}"
    for each in states:
        outdated = [f"{_OUTDATED}: tflite-sparse runtime install {each.name}"]
        for line in [*(outdated if each.outdated else ()), *each.lacks]:
            yield from textwrap.wrap(f"{each.name}: {line}", width, subsequent_indent="  ")
