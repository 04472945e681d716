"""Models from wherever they are, and back to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from tflite_sparse.errors import FileError, Place, UsageError
from tflite_sparse.model import Model
from tflite_sparse.rewrite.writing import save

if TYPE_CHECKING:
    from tflite_sparse.rewrite.writing.save import Changed

__all__ = ["ModelLike", "opened", "read", "write"]

ModelLike: TypeAlias = "Model | str | os.PathLike[str] | bytes | IO[bytes]"
"""A model, or what `read` makes one of."""


def read(file: str | os.PathLike[str] | bytes | IO[bytes], name: str | None = None) -> Model:
    """Reads a model; a file on this machine is memory-mapped for as long as the model lives.

    Args:
        file: a path; the bytes of a model; a binary file; or an address such as
            "gs://models/a.tflite", with the extra `[remote]`.
        name: what errors call a model that has no path.

    Raises:
        FileError: the file cannot be read or is no .tflite file.
        FormatError: the file is damaged.
        ModelError: an index in it leads nowhere.
        UsageError: it is nothing that a model is read from.
    """
    if isinstance(file, (str, bytes, bytearray, memoryview, os.PathLike)):
        return Model.read(file, name)
    # A model has a function of this name that reads another one.
    if isinstance(file, Model) or not hasattr(file, "read"):
        raise UsageError(
            f"a model is read from a path, from bytes or from a binary file, not from a"
            f" {type(file).__name__}"
        )
    content = file.read()
    if not isinstance(content, bytes):
        raise FileError("the file is open as text", hint="open it with mode 'rb'")
    return Model.read(content, name or getattr(file, "name", None))


def opened(model: ModelLike) -> Model:
    """A model as it is; anything else is read."""
    return model if isinstance(model, Model) else read(model)


def write(
    what: Model | Changed, target: str | os.PathLike[str] | IO[bytes], *, overwrite: bool = False
) -> int:
    """Writes a model, or the result of a rewrite, which is proved before it takes its place.

    Args:
        what: the model, or what `sparsify` or another rewrite returned.
        target: a path, or a binary file.
        overwrite: whether a file that is there is replaced, when all is written.

    Returns:
        The number of bytes written.

    Raises:
        FileError: the file is there already, or cannot be written.
        RewriteError: the model holds something that would be lost, or the result is not right.
    """
    if isinstance(target, (str, os.PathLike)) and not overwrite and Path(target).is_file():
        raise FileError(
            "the file exists already",
            place=Place(file=os.fspath(target)),
            hint="overwrite=True replaces it",
        )
    return save.write(what, target)
