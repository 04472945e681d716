"""Packages of npm: pinned by their integrity, taken once by `npm pack`, kept outside the tree."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError

__all__ = ["Package", "archive", "cache_folder", "contents"]

_CACHE = "TFLITE_SPARSE_CACHE"
_TIMEOUT = 300.0
_TOP = "package/"
"""Every archive of npm has its files in this folder."""


class Package(msgspec.Struct, frozen=True):
    """A package at one version.

    Attributes:
        name: its name with its scope.
        version: its version.
        integrity: what npm says of its archive: "sha512-" and the hash in base64.
    """

    name: str
    version: str
    integrity: str

    @property
    def file(self) -> str:
        """Name of its archive."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


def cache_folder() -> Path:
    """Where downloads are kept: $TFLITE_SPARSE_CACHE, else ~/.cache/tflite-sparse; it is made.

    Raises:
        OSError: it cannot be made.
    """
    named = os.environ.get(_CACHE)
    folder = Path(named) if named else Path.home() / ".cache" / "tflite-sparse"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def archive(package: Package) -> Path:
    """The archive of a package, from the cache or from the registry that npm is set up with.

    The archive is checked each time, so that a damaged one in the cache is taken anew.

    Raises:
        RuntimeUnavailableError: npm is missing or fails, or what it brings is not the pinned
            archive.
    """
    target = cache_folder() / package.file
    if target.is_file() and _integrity(target) == package.integrity:
        return target
    # Several processes may do this at once; each puts the same whole file in place.
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        brought = _pack(package, Path(work))
        integrity = _integrity(brought)
        if integrity != package.integrity:
            raise RuntimeUnavailableError(
                f"npm brought a {package.name} {package.version} with integrity {integrity},"
                f" {package.integrity} is pinned",
                hint="look at npm's registry setting",
            )
        brought.replace(target)
    return target


def contents(package: Package) -> dict[str, bytes]:
    """The files of a package by their paths in it.

    Raises:
        RuntimeUnavailableError: the package cannot be had, see `archive`.
    """
    files_by_name = {}
    with tarfile.open(archive(package)) as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                files_by_name[member.name.removeprefix(_TOP)] = stream.read()
    return files_by_name


def _integrity(path: Path) -> str:
    digest = hashlib.sha512(path.read_bytes()).digest()
    return f"sha512-{base64.b64encode(digest).decode()}"


def _pack(package: Package, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeUnavailableError(
            f"npm was not found, which brings {package.name}",
            hint="install Node.js, or name the package's folder with --litertjs",
        )
    wanted = f"{package.name}@{package.version}"
    try:
        done = subprocess.run(
            [npm, "pack", "--silent", "--ignore-scripts", wanted],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeUnavailableError(
            f"npm did not bring {wanted} within {_TIMEOUT:g} s", hint="try again"
        ) from None
    brought = list(folder.glob("*.tgz"))
    if done.returncode or not brought:
        reason = " ".join(done.stderr.split())[-300:] or f"exit code {done.returncode}"
        raise RuntimeUnavailableError(
            f"npm could not bring {wanted}: {reason}",
            hint="name the package's folder with --litertjs where there is no network",
        )
    return brought[0]
