"""Where a command may write: nothing that is there is overwritten unasked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.errors import FileError, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["STDOUT", "check_output"]

STDOUT = "-"
"""As a path, it stands for standard output."""


def check_output(path: str, *, force: bool, hint: str, inputs: Iterable[str] = ()) -> None:
    """Looks, before long work, whether a path may be written to.

    Args:
        path: where the result goes, or `STDOUT`.
        force: whether a file that is there is overwritten.
        hint: what to do where a file is there.
        inputs: files that the command reads, which must not be overwritten whatever is asked.

    Raises:
        FileError: there is a file and it may not be overwritten, or a folder.
        UsageError: it is one of the inputs.
    """
    target = Path(path)
    if path == STDOUT or not target.exists():
        return
    if target.is_dir():
        raise FileError("is a directory", place=Place(file=path))
    if any(Path(name).exists() and target.samefile(name) for name in inputs):
        raise UsageError("the result would replace what it is made of", place=Place(file=path))
    if target.is_file() and not force:
        raise FileError("the file exists already", place=Place(file=path), hint=hint)
