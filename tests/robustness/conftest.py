"""File systems of the tests' own: small ones, and ones that cannot be written."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"no file system can be mounted here, which takes root: {done.stderr.strip()}")

    def remount(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)

    try:
        yield remount
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def mounted() -> Callable[[Path, str], AbstractContextManager[Callable[[str], None]]]:
    """Mounts a small file system at a new folder; what it yields mounts it anew with options."""
    return _mounted
