"""Paths as services that show findings expect them."""

from __future__ import annotations

from pathlib import Path

from tflite_sparse.files.remote import is_remote

__all__ = ["shown_path"]


def shown_path(path: str) -> str:
    """A path with slashes, within the folder of the run where it lies there.

    Args:
        path: a file, as the user named it; an address stays as it is.
    """
    if is_remote(path):
        return path
    named = Path(path)
    if named.is_absolute() and named.is_relative_to(Path.cwd()):
        named = named.relative_to(Path.cwd())
    return named.as_posix()
