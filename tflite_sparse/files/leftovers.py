"""Files that a process which was killed has left beside its target, and how to tell them.

Between giving a finished file a name and moving it into place lies an instant. A process that is
killed in it leaves the named file behind; the next one that writes to the folder takes it away.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where an open file cannot be taken away anyway
    fcntl = None  # type: ignore[assignment]

__all__ = ["PREFIX", "claim", "clear_leftovers"]

PREFIX = ".tflite-sparse-"
"""How the names of files begin that wait to be moved into place."""


def claim(handle: int) -> None:
    """Marks an open file as being written: a lock on it, which ends with the process."""
    if sys.platform != "win32" and fcntl is not None:
        # Not every file system has locks.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def clear_leftovers(folder: Path) -> None:
    """Removes the files in a folder that nobody is writing any more."""
    if sys.platform == "win32" or fcntl is None:
        return
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{PREFIX}*"):
            _remove_unclaimed(path)


def _remove_unclaimed(path: Path) -> None:
    if sys.platform == "win32":
        return
    # Whatever stands in the way, it is none of the write's business.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(handle)
