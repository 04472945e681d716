"""Sizes of a model before and after a rewrite: installed, and after gzip."""

from __future__ import annotations

import shutil
import zlib
from functools import partial
from typing import TYPE_CHECKING, cast

from tflite_sparse.inspection.file.gzip_size import GZIP_UP_TO, file_bytes, gzip_size
from tflite_sparse.records import Count, Record
from tflite_sparse.threads import in_background

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["Sizes", "gzip_ahead", "measure"]

# Bytes below which a file is compressed sooner than a thread is ready.
_SMALL = 2**17

_LEVEL = 6
_CHUNK = 2**20
_GZIP_WINDOW = 31


class Sizes(Record, frozen=True):
    """Sizes of a model's file before and after a rewrite, in bytes.

    Attributes:
        before: of the file that was read.
        after: of the file as it is, or will be, written.
        gzip_before: of the former after gzip at level 6; None where nobody asked.
        gzip_after: of the latter.
    """

    before: Count
    after: Count
    gzip_before: Count | None = None
    gzip_after: Count | None = None


def gzip_ahead(model: Model, gzip: bool | None) -> Callable[[], int] | None:
    """Begins to find the size of a file after gzip, while the model is rewritten.

    Args:
        model: the model; what was read is compressed, whatever is done to it from now on.
        gzip: whether the size is wanted; None for files up to `GZIP_UP_TO`.

    Returns:
        What gives the size as soon as it is there, None where it is not wanted.
    """
    if not (model.size <= GZIP_UP_TO if gzip is None else gzip):
        return None
    compress = partial(gzip_size, file_bytes(model))
    return compress if model.size < _SMALL else in_background(compress).result


def measure(
    rewrite: Rewrite, before: int, packed: Callable[[], int] | None, written: Path | None = None
) -> Sizes:
    """The sizes of a model before and after a rewrite, whether or not it has been written.

    Args:
        rewrite: what was done.
        before: size in bytes of the file that was read.
        packed: gives its size after gzip; None where nobody asked.
        written: the file that holds the result, where it has been written.
    """
    if not rewrite.changed:
        size = packed() if packed else None
        return Sizes(before, before, size, size)
    if packed is None:
        if written is not None:
            return Sizes(before, written.stat().st_size)
        rewrite.model.commit()
        return Sizes(before, rewrite.model.file.layout().size)
    meter = _Meter()
    if written is not None:
        with written.open("rb") as file:
            shutil.copyfileobj(file, meter, _CHUNK)
        after = written.stat().st_size
    else:
        rewrite.model.commit()
        after = rewrite.model.file.write(cast("IO[bytes]", meter))
    return Sizes(before, after, packed(), meter.finish())


class _Meter:
    """A file that keeps nothing but the size of what was written to it, after gzip."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        self._size = 0

    def write(self, data: bytes) -> int:
        self._size += len(self._packer.compress(data))
        return len(data)

    def finish(self) -> int:
        return self._size + len(self._packer.flush())
