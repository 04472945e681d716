"""The digest of a file, and its size after gzip: as it is, and with its weights stored sparse."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.flatbuffer.external import external_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Buffer as Bytes

    from tflite_sparse.model import Buffer, Model

__all__ = [
    "GZIP_UP_TO",
    "Replacement",
    "data_range",
    "file_bytes",
    "gzip_size",
    "gzip_size_with",
    "sha256",
    "sha256_of",
    "written_sizes",
]

GZIP_UP_TO = 4 * 2**20
"""Size in bytes of the largest file that is compressed without being asked for.

To compress takes longer than all else that is asked of a larger one.
"""

_LEVEL = 6
_GZIP_WINDOW = 31
_CHUNK = 2**20


class Replacement(msgspec.Struct, frozen=True):
    """Bytes of the file that a rewrite would replace.

    Attributes:
        start: offset of the first.
        end: offset behind the last.
        make: computes what takes their place; called once, when it is needed.
    """

    start: int
    end: int
    make: Callable[[], Sequence[NDArray[Any]]]


def file_bytes(model: Model) -> NDArray[Any]:
    """The file that a model was read from."""
    source = model.file.source
    assert source is not None  # noqa: S101 - only models that were read are inspected
    return source.data


def sha256(file: NDArray[Any]) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file).hexdigest()


def gzip_size(file: NDArray[Any]) -> int:
    """Size in bytes of a file after gzip at zlib's level 6, as most servers send it."""
    return _compressed(_chunks(file))


def written_sizes(model: Model) -> tuple[int, int]:
    """(bytes, bytes after gzip) of the file that a model would be written as, which nobody holds.

    Raises:
        RewriteError: the model holds something that would be lost.
    """
    packer = _packer()
    packed = 0

    def pack(data: NDArray[Any]) -> None:
        nonlocal packed
        packed += sum(len(packer.compress(chunk)) for chunk in _chunks(data))

    size = model.write(_Reader(pack))
    return size, packed + len(packer.flush())


def sha256_of(model: Model) -> str:
    """SHA-256, in hexadecimal, of the file that a model would be written as.

    Raises:
        RewriteError: the model holds something that would be lost.
    """
    digest = hashlib.sha256()
    model.write(_Reader(digest.update))
    return digest.hexdigest()


class _Reader(io.BytesIO):
    """A file that hands on what is written to it, and keeps nothing."""

    def __init__(self, read: Callable[[NDArray[Any]], object]) -> None:
        super().__init__()
        self._read = read

    def write(self, data: Bytes) -> int:
        piece = np.frombuffer(data, np.uint8)
        self._read(piece)
        return piece.size


def gzip_size_with(model: Model, replacements: Iterable[Replacement]) -> int:
    """Size after gzip of the file with some of its bytes replaced.

    Args:
        model: the model.
        replacements: what is replaced; ranges do not overlap.
    """

    def pieces() -> Iterator[NDArray[Any]]:
        cursor = 0
        data = file_bytes(model)
        for replacement in sorted(replacements, key=lambda item: item.start):
            yield from _chunks(data[cursor : replacement.start])
            for array in replacement.make():
                yield from _chunks(array)
            cursor = replacement.end
        yield from _chunks(data[cursor:])

    return _compressed(pieces())


def data_range(buffer: Buffer) -> tuple[int, int] | None:
    """Where the data of a buffer lies in the file: (start, end), or None for an edited one."""
    where = external_range(buffer.table)
    if where is not None:
        return where[0], where[0] + where[1]
    vector = buffer.table.location("data")
    # A vector starts with its length.
    return None if vector is None else (vector + 4, vector + 4 + buffer.nbytes)


def _chunks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    flat = array.reshape(-1).view("u1")
    for start in range(0, flat.size, _CHUNK):
        yield flat[start : start + _CHUNK]


def _compressed(chunks: Iterable[NDArray[Any]]) -> int:
    packer = _packer()
    return sum(len(packer.compress(chunk)) for chunk in chunks) + len(packer.flush())


def _packer() -> zlib._Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
