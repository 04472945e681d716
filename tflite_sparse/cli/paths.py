"""Turns what a user names on the command line into files: files, directories, patterns."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.errors import FileError, Place, TfliteSparseError
from tflite_sparse.files.remote import is_remote, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SUFFIX", "find_models"]

SUFFIX = ".tflite"
"""Ending of the files that are taken from a directory; a file that is named may end in anything."""


def find_models(arguments: Iterable[str]) -> list[str | TfliteSparseError]:
    """The model files that the arguments name, each once, in the order of the arguments.

    Args:
        arguments: files; directories, which are searched for *.tflite with all below them; and
            patterns with *, ** and ?, for shells that do not expand them; and addresses such as
            gs://models/*.tflite, which are patterns too.

    Returns:
        Paths, and in place of an argument that names no file the error that says so.
    """
    files: dict[str, str | TfliteSparseError] = {}
    for argument in arguments:
        for item in _expand(argument):
            files.setdefault(str(item), item)
    return list(files.values())


def _expand(argument: str) -> Iterable[str | TfliteSparseError]:
    if is_remote(argument):
        try:
            addresses = listed(argument)
        except TfliteSparseError as error:
            return [error]
        return addresses or [FileError("no file matches this pattern", place=Place(file=argument))]
    path = Path(argument)
    if path.is_dir():
        models = sorted(str(p) for p in path.rglob(f"*{SUFFIX}") if p.is_file())
        return models or [
            FileError(f"no {SUFFIX} files in this directory", place=Place(file=argument))
        ]
    if path.exists() or not glob.has_magic(argument):
        return [argument]
    names = glob.glob(argument, recursive=True)  # noqa: PTH207 - the pattern may be absolute
    matches = sorted(name for name in names if Path(name).is_file())
    return matches or [FileError("no file matches this pattern", place=Place(file=argument))]
