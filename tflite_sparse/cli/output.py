"""Where a command writes: a file that is there already is kept unless the user says otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tflite_sparse.cli.usage.verbosity import is_quiet
from tflite_sparse.errors import FileError, Place
from tflite_sparse.files.output import check_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.text import Text

    from tflite_sparse.report.formats import Printable

__all__ = ["free_target", "say", "show", "show_lines"]


def show(result: Printable, *, as_json: bool, stream: IO[str] | None = None) -> None:
    """Prints what a command has found.

    Args:
        result: it.
        as_json: whether it is printed as JSON, or as text.
        stream: where to; None for standard output.
    """
    if is_quiet() and not as_json:
        return
    from tflite_sparse.report.formats import REPORTERS
    from tflite_sparse.report.text.console import Screen

    REPORTERS["json" if as_json else "text"](result, Screen(stream))


def show_lines(lines: Callable[[int], Iterable[Text | str]]) -> None:
    """Prints lines for people.

    Args:
        lines: makes them for a width in characters.
    """
    if is_quiet():
        return
    from tflite_sparse.report.text.console import Screen

    screen = Screen()
    screen.show(lines(screen.width))


def say(line: str = "") -> None:
    """Prints a line for people."""
    if not is_quiet():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def free_target(path: str, *, force: bool, hint: str = "--force overwrites it") -> None:
    """Makes sure that a file may be written.

    Args:
        path: the file.
        force: whether one that is there is overwritten.
        hint: what to do where it is there.

    Raises:
        FileError: it is there already, it is a directory, or nothing can be written there.
    """
    if Path(path).is_dir():
        raise FileError("is a directory", place=Place(file=path))
    if Path(path).is_file() and not force:
        raise FileError("the file exists already", place=Place(file=path), hint=hint)
    # Told before the work, not after it.
    check_folder(path)
