"""The bytes of a file: memory-mapped where it is a file, and read in place at any offset."""

from __future__ import annotations

import mmap
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import FileError, Place
from tflite_sparse.files import output

if TYPE_CHECKING:
    import struct

    from numpy.typing import NDArray

__all__ = ["Source"]

_WINDOW = 16 * 2**20


class Source:
    """Read-only bytes with typed, zero-copy access.

    Attributes:
        data: all bytes, shape (size,), uint8, read-only; a view of the memory map.
        size: number of bytes.
        path: the file, or None for bytes in memory.
        name: what errors call it.
    """

    __slots__ = ("_buffer", "_passed", "_slots", "data", "name", "path", "size")

    def __init__(self, buffer: Any, *, path: Path | None = None, name: str | None = None) -> None:
        self._buffer = buffer
        self.data: NDArray[np.uint8] = np.frombuffer(buffer, np.uint8)
        self.data.flags.writeable = False
        self.size = self.data.size
        self.path = path
        self.name = name if name is not None else (str(path) if path else None)
        self._slots: dict[int, tuple[int, ...]] = {}
        self._passed = 0

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Source:
        """Maps a file into memory.

        Raises:
            FileError: the path cannot be opened, or is a directory or a device.
        """
        target = Path(path)
        place = Place(file=str(path))
        try:
            with target.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    # A pipe has no length to map; what it holds is read to its end.
                    return cls(file.read(), name=str(path))
                if status.st_size == 0:
                    return cls(b"", path=target, name=str(path))
                if not output.KEPT_OPEN:
                    # A mapped file could not be replaced by what is made of it.
                    return cls(file.read(), path=target, name=str(path))
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                return cls(mapped, path=target, name=str(path))
        except FileNotFoundError:
            raise FileError("no such file", place=place) from None
        except IsADirectoryError:
            raise FileError("is a directory, not a file", place=place) from None
        except PermissionError:
            raise FileError("no permission to read the file", place=place) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FileError(f"cannot read the file: {reason}", place=place) from None

    def passed(self, nbytes: int) -> None:
        """Tells that so many bytes were read that are not needed soon.

        Now and then the process lets go of the pages of a mapped file, so that the memory it holds
        does not grow with the file. What is read again comes from the system's cache.

        Args:
            nbytes: how many bytes; only their number counts.
        """
        self._passed += nbytes
        if self._passed >= _WINDOW:
            self._passed = 0
            if (
                sys.platform != "win32"
                and isinstance(self._buffer, mmap.mmap)
                and hasattr(mmap, "MADV_DONTNEED")
            ):
                # The maps are shared and read-only: nothing in them can be lost.
                self._buffer.madvise(mmap.MADV_DONTNEED)

    def unpack(self, layout: struct.Struct, offset: int) -> Any:
        """The one value that `layout` describes at `offset`."""
        return layout.unpack_from(self._buffer, offset)[0]

    def slots(self, vtable: int) -> tuple[int, ...]:
        """The entries of the vtable at an offset, which many tables share."""
        slots = self._slots.get(vtable)
        if slots is None:
            size = int.from_bytes(self.raw(vtable, 2), "little")
            entries = np.frombuffer(self._buffer, "<u2", max(0, size - 4) // 2, vtable + 4)
            slots = self._slots[vtable] = tuple(entries.tolist())
        return slots

    def vector(self, offset: int, count: int, code: str) -> NDArray[Any]:
        """`count` little-endian numbers at `offset`: a read-only view, whatever the alignment."""
        if count == 0:
            return np.empty(0, np.dtype(code))
        view = np.frombuffer(self._buffer, np.dtype(code), count, offset)
        view.flags.writeable = False
        return view

    def raw(self, offset: int, count: int) -> bytes:
        """A copy of `count` bytes at `offset`."""
        return bytes(self._buffer[offset : offset + count])
