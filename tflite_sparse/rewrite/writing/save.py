"""Writes a rewritten model, and lets it take its place only when it is proved to be right."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol

from tflite_sparse.files.output import replacing, scratch
from tflite_sparse.model import Model
from tflite_sparse.rewrite.writing.proof import prove
from tflite_sparse.threads import in_background

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tflite_sparse.rewrite.writing.proof import Expected

__all__ = ["Changed", "read", "save", "write"]

_CHUNK = 16 * 2**20

# Bytes from which the way to the disk is worth a thread; `replacing` waits for it in any case.
_FAR = 2**20


class Changed(Protocol):
    """A model that was changed, and what can be proved of it, such as a `Rewrite`."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def expected(self) -> tuple[Expected, ...]:
        """What its changed tensors must hold when it is written."""


def save(
    rewrite: Changed,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    verify: Callable[[Path], None] | None = None,
    fresh: bool = False,
) -> int:
    """Writes the model of a rewrite.

    The bytes are written beside the target, read back, compared weight by weight with what they
    should be, and only then moved into place.

    Args:
        rewrite: what `sparsify`, `densify` or `prune` returned.
        target: a path, or a binary file such as a pipe.
        verify: a last check of the file before it takes its place; it stops that by an error.
        fresh: whether a file that is there by the end stays as it is, and is an error.

    Returns:
        The number of bytes written.

    Raises:
        FileError: the file cannot be written.
        RewriteError: what was written is not right.
    """
    if not isinstance(target, (str, os.PathLike)):
        return _copy(rewrite, target, verify)
    with replacing(target, fresh=fresh) as file:
        if verify is None and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return _write(rewrite, file, sync=True)
        return _copy(rewrite, file, verify)


def _write(rewrite: Changed, file: IO[bytes], *, sync: bool = False) -> int:
    """Writes into a regular file that can be read too, and proves it.

    Args:
        rewrite: what was done.
        file: the file.
        sync: whether it is to be on the disk, to which a large one travels while it is proved.
    """
    model = rewrite.model
    model.commit()
    size = model.file.write(file)
    file.flush()
    far = sync and size >= _FAR
    travelling = in_background(partial(os.fsync, file.fileno())) if far else None
    try:
        # The map goes with the last view of it.
        prove(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ), rewrite.expected, model.name)
    finally:
        if travelling is not None:
            travelling.result()
    return size


def _copy(rewrite: Changed, target: IO[bytes], verify: Callable[[Path], None] | None) -> int:
    """Writes and checks a file of its own, then copies it."""
    with scratch() as (file, path):
        size = _write(rewrite, file)
        if verify is not None:
            verify(path)
        file.seek(0)
        shutil.copyfileobj(file, target, _CHUNK)
    return size


def read(file: str | os.PathLike[str] | bytes) -> Model:
    """Reads a model; see `Model.read`.

    Args:
        file: a path, or the bytes of a model.
    """
    return Model.read(file)


def write(what: Model | Changed, target: str | os.PathLike[str] | IO[bytes]) -> int:
    """Writes a model, or the result of a rewrite, which is proved before it takes its place.

    Args:
        what: the model, or what `sparsify`, `densify` or `prune` returned.
        target: a path, which is replaced only when all is written, or a binary file.

    Returns:
        The number of bytes written.

    Raises:
        FileError: the file cannot be written.
        RewriteError: the model holds something that would be lost, or the result is not right.
    """
    return what.write(target) if isinstance(what, Model) else save(what, target)
