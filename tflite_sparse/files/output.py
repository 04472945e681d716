"""Writes a file so that its name holds either the old bytes or all of the new ones."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tflite_sparse.errors import FileError, Place
from tflite_sparse.files.leftovers import PREFIX, claim, clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KEPT_OPEN", "check_folder", "not_written", "replacing", "scratch"]

_REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "no permission to write here",
    errno.EPERM: "no permission to write here",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "part of the path is not a folder",
    errno.EISDIR: "is a directory",
    errno.EFBIG: "the file would be too large for the file system",
}
_OPEN_FILES = "/proc/self/fd"

KEPT_OPEN = os.name != "nt"
"""Whether a file that is open, or mapped, may be replaced; Windows allows neither."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, fresh: bool = False) -> Iterator[IO[bytes]]:
    """Opens a new file that takes the place of `path` when the block ends without an error.

    The bytes are written beside the target and moved into place; a symbolic link keeps pointing at
    the file that is replaced, and that file's mode is kept. A device or pipe is written to.

    Args:
        path: the target.
        fresh: whether a regular file that is there by the end stays as it is, and is an error.

    Raises:
        FileError: the file cannot be created, written or moved into place.
    """
    place = Place(file=os.fspath(path))
    try:
        target = Path(path).resolve()
        status = target.stat() if target.exists() else None
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise FileError("is a directory, not a file that can be written", place=place)
        if status is not None and not stat.S_ISREG(status.st_mode):
            with target.open("wb") as file:
                yield file
            return
        mode = stat.S_IMODE(status.st_mode) if status else 0o666 & ~_umask()
        with _temporary(target, mode, place if fresh else None) as file:
            yield file
    except OSError as error:
        raise not_written(error, place) from error


def check_folder(path: str | os.PathLike[str]) -> None:
    """Makes sure that a file can be written in the folder of a path; it is not written.

    Args:
        path: the file; a device or pipe can always be.

    Raises:
        FileError: it cannot.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        return
    try:
        file, name = _create(target.parent)
        file.close()
        if name is not None:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise not_written(error, Place(file=os.fspath(path))) from error


def not_written(error: OSError, place: Place, hint: str | None = None) -> FileError:
    """What is told where the system does not write a file."""
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    return FileError(f"cannot write the file: {reason}", place=place, hint=hint)


@contextlib.contextmanager
def scratch() -> Iterator[tuple[IO[bytes], Path]]:
    """Opens a file for as long as the block lasts, and a path by which other processes open it.

    Where the system can, the file has no name, so that not even a kill leaves anything behind.

    Raises:
        OSError: the file cannot be created.
    """
    import tempfile

    if Path(_OPEN_FILES).is_dir():
        with tempfile.TemporaryFile() as file:
            # Of this process, not of whoever opens it.
            yield file, Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        return
    with tempfile.TemporaryDirectory(prefix="tflite-sparse-") as folder:
        path = Path(folder) / "model.tflite"
        with path.open("w+b") as file:
            yield file, path


@contextlib.contextmanager
def _temporary(target: Path, mode: int, fresh: Place | None) -> Iterator[IO[bytes]]:
    clear_leftovers(target.parent)
    file, name = _create(target.parent)
    try:
        with file:
            yield file
            file.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            if name is None and _became(file.fileno(), target):
                return
            if fresh is not None:
                _refuse_taken(target, fresh)
            name = name or _give_name(file.fileno(), target.parent)
            if not KEPT_OPEN:
                file.close()
            Path(name).replace(target)
    except BaseException:
        if name is not None:
            with contextlib.suppress(OSError):
                Path(name).unlink()
        raise


def _create(folder: Path) -> tuple[IO[bytes], str | None]:
    """A new file in `folder`; without a name where that is possible: a kill leaves nothing."""
    if hasattr(os, "O_TMPFILE") and Path(_OPEN_FILES).is_dir():
        with contextlib.suppress(OSError):
            file = os.fdopen(os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), "w+b")
            claim(file.fileno())
            return file, None
    # Few systems need it.
    import tempfile

    while True:
        handle, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        claim(handle)
        if Path(name).exists():
            return os.fdopen(handle, "w+b"), name
        # Somebody has cleared it away before it was claimed.
        os.close(handle)


def _became(handle: int, target: Path) -> bool:
    """Makes an open file without a name the target, where there is none; in one step."""
    try:
        _link(handle, target)
    except FileExistsError:
        return False
    return True


def _refuse_taken(target: Path, place: Place) -> None:
    if target.exists():
        raise FileError(
            "somebody else has written the file meanwhile",
            place=place,
            hint="--force overwrites it",
        )


def _give_name(handle: int, folder: Path) -> str:
    while True:
        name = folder / f"{PREFIX}{os.urandom(8).hex()}"
        with contextlib.suppress(FileExistsError):
            _link(handle, name)
            return str(name)


def _link(handle: int, name: Path) -> None:
    # Naming a folder makes Python call linkat, the only one that follows this link; the folder
    # itself is not looked at, since the path is absolute.
    os.link(f"{_OPEN_FILES}/{handle}", name, src_dir_fd=handle, follow_symlinks=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
