"""Sizes of a model before and after a rewrite: installed, and after gzip."""

from __future__ import annotations

import threading
import zlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from tflite_sparse._dataclass import dataclass
from tflite_sparse.flatbuffer.layout import lay_out
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.inspection.download import gzip_size

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from tflite_sparse.model import Model
    from tflite_sparse.rewrite.results import Rewrite

__all__ = ["GZIP_UP_TO", "Sizes", "measure", "written_size"]

GZIP_UP_TO = 4 * 2**20
"""Size in bytes of the largest file that is compressed without being asked for."""

_LEVEL = 6
_CHUNK = 2**20
_GZIP_WINDOW = 31


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes in bytes.

    Attributes:
        before: of the file that was read.
        after: of the file as it is, or will be, written.
        gzip_before: of the former after gzip at level 6; None where nobody asked.
        gzip_after: of the latter.
    """

    before: int
    after: int
    gzip_before: int | None = None
    gzip_after: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def measure(
    rewrite: Rewrite, original: Model, *, gzip: bool | None = None, written: Path | None = None
) -> Sizes:
    """The sizes of a model before and after a rewrite, whether or not it has been written.

    Args:
        rewrite: what was done.
        original: a model with the bytes that were read, which may be the rewritten one.
        gzip: whether to compress; None does so for files up to `GZIP_UP_TO`.
        written: the file that holds the result, where it has been written.
    """
    before = original.size
    if gzip is None:
        gzip = before <= GZIP_UP_TO
    if gzip and rewrite.changed and written is not None:
        return Sizes(before, written.stat().st_size, *_gzip_sizes(original, written))
    packed = gzip_size(original) if gzip else None
    if written is not None and not gzip:
        return Sizes(before, written.stat().st_size)
    if not rewrite.changed:
        return Sizes(before, before, packed, packed)
    model = rewrite.model
    model.commit()
    if gzip:
        meter = _Meter()
        after = model.file.write(cast("IO[bytes]", meter))
        return Sizes(before, after, packed, meter.finish())
    return Sizes(before, written_size(model))


def _gzip_sizes(original: Model, written: Path) -> tuple[int, int]:
    """Sizes after gzip of both files, compressed at the same time."""
    found: list[int] = []
    other = threading.Thread(target=lambda: found.append(gzip_size(original)))
    other.start()
    meter = _Meter()
    with written.open("rb") as file:
        while chunk := file.read(_CHUNK):
            meter.write(chunk)
    other.join()
    return found[0], meter.finish()


def written_size(model: Model) -> int:
    """Size in bytes of the file that a model would be written to; nothing is computed for it."""
    model.commit()
    layout = lay_out(model.table, schema().identifier, model.file.source)
    return layout.size + sum(int(run.data.size) for run in model.appended)


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
