"""The standard streams as the program needs them: there, and able to take every character."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["abandon", "prepare_streams"]

_NUMBERS = (0, 1, 2)


def prepare_streams() -> None:
    """Fills in streams that were closed, and lets the others substitute what they cannot show.

    A closed descriptor would be taken by the next file that is opened, and written into. What is
    written to the substitute fails, as it would to the closed one.
    """
    for number in _NUMBERS:
        if not _is_open(number):
            # The lowest free number is taken; a descriptor for reading takes no output.
            os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)
    if sys.stdout is None:
        sys.stdout = _closed(1)
    if sys.stderr is None:
        sys.stderr = _closed(2)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a substitute, not an exception.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _closed(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", closefd=False)


def abandon(stream: TextIO) -> None:
    """Lets what is left to print vanish: Python flushes at its end, and would print a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
