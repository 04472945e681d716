"""Where text for people goes: colours on a terminal, plain text into a pipe or a file."""

from __future__ import annotations

import os
import shutil
import sys
from typing import IO, TYPE_CHECKING

from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

__all__ = ["Screen"]

_COLUMNS = 80
# What makes rich print colours where there is no terminal.
_ASKS_FOR_COLOUR = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "JUPYTER_COLUMNS")


class Screen:
    """Prints lines as they are: no markup, no guesses about what to colour.

    On a terminal it is as wide as that, elsewhere 80 columns or what COLUMNS says. NO_COLOR and
    TERM=dumb are respected.

    Args:
        stream: where to print; stdout when None.

    Attributes:
        width: columns.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream
        self._console = None if _plain(stream or sys.stdout) else _console(stream)
        columns = os.environ.get("COLUMNS", "")
        plain = int(columns) if columns.isdecimal() and int(columns) else _COLUMNS
        if self._console is None and not columns and (stream or sys.stdout).isatty():
            plain = shutil.get_terminal_size((_COLUMNS, 1)).columns
        self.width = self._console.width if self._console else plain

    def show(self, lines: Iterable[Text | str]) -> None:
        """Prints lines; a file may have any name, and its control characters show as escapes."""
        if self._console is None:
            self.write("".join(f"{_safe(str(line))}\n" for line in lines))
            return
        for line in lines:
            safe = _safe(str(line))
            # Where a character is escaped, the spans of its colours fit no longer.
            shown = line if safe == str(line) else safe
            self._console.print(shown, overflow="ignore", no_wrap=True, crop=False)

    def write(self, text: str) -> None:
        """Prints text as it is, without colours."""
        # Asked for now: a test or a caller may have put another stream in its place.
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()


def _safe(line: str) -> str:
    """A line whose control characters, as file names may have them, show as escapes."""
    return "\n".join(map(readable, line.split("\n")))


def _plain(stream: IO[str]) -> bool:
    """Whether colours are out of the question, and so is the width of a terminal."""
    if os.environ.get("NO_COLOR"):
        # No bold either: rich would keep it.
        return True
    terminals = (sys.stdin, sys.stdout, sys.stderr, stream)
    asked = any(name in os.environ for name in _ASKS_FOR_COLOUR)
    return not asked and not any(s is not None and s.isatty() for s in terminals)


def _console(stream: IO[str] | None) -> Console:
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=False)
