"""Pinned packages: taken once by the client that brings their kind, kept outside the tree."""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.packages.clients import CLIENTS, Client

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Package", "archive", "archives", "cache_folder", "contents"]

_CACHE = "TFLITE_SPARSE_CACHE"
_TOP = "package/"
"""Every archive of npm has its files in this folder."""


class Package(msgspec.Struct, frozen=True):
    """A package at one version.

    Attributes:
        name: its name, on npm with its scope.
        version: its version.
        integrity: the hash of its archive: "sha512-" and base64 as npm says it, or "sha256:" and
            hexadecimal digits as pip and apt do.
        client: who brings it.
        named: the name of its archive, which for a wheel and for a Debian package says the
            platform; "" for that which npm gives it.
    """

    name: str
    version: str
    integrity: str
    client: Client = "npm"
    named: str = ""

    @property
    def file(self) -> str:
        """Name of its archive."""
        return self.named or f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"


def cache_folder() -> Path:
    """Where downloads are kept: $TFLITE_SPARSE_CACHE, else ~/.cache/tflite-sparse; it is made.

    Raises:
        OSError: it cannot be made.
    """
    named = os.environ.get(_CACHE)
    # Clients and emulators run in other folders, where a relative path leads elsewhere.
    folder = Path(named).absolute() if named else Path.home() / ".cache" / "tflite-sparse"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def archive(package: Package) -> Path:
    """The archive of a package, see `archives`."""
    return archives([package])[0]


def archives(packages: Sequence[Package]) -> list[Path]:
    """The archives of packages, from the cache or from the registries that clients are set up with.

    An archive is checked each time, so that a damaged one in the cache is taken anew.

    Raises:
        RuntimeUnavailableError: a client is missing or fails, or what it brings is not the pinned
            archive.
    """
    for name, bring in CLIENTS.items():
        lacking = [p for p in packages if p.client == name and not _kept(p)]
        if lacking:
            # Several processes may do this at once; each puts the same whole files in place.
            with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
                for package, path in zip(lacking, bring(lacking, Path(work)), strict=True):
                    _check(package, path)
                    path.replace(cache_folder() / package.file)
    return [cache_folder() / package.file for package in packages]


def contents(package: Package) -> dict[str, bytes]:
    """The files of a package of npm by their paths in it.

    Raises:
        RuntimeUnavailableError: the package cannot be had, see `archives`.
    """
    files_by_name = {}
    with tarfile.open(archive(package)) as files:
        for member in files:
            stream = files.extractfile(member)
            if stream is not None:
                files_by_name[member.name.removeprefix(_TOP)] = stream.read()
    return files_by_name


def _kept(package: Package) -> bool:
    path = cache_folder() / package.file
    return path.is_file() and _integrity(path, package) == package.integrity


def _check(package: Package, path: Path) -> None:
    integrity = _integrity(path, package)
    if integrity != package.integrity:
        raise RuntimeUnavailableError(
            f"{package.client} brought a {package.name} {package.version} with integrity"
            f" {integrity}, {package.integrity} is pinned",
            hint=f"look at {package.client}'s registry setting",
        )


def _integrity(path: Path, package: Package) -> str:
    data = path.read_bytes()
    if package.integrity.startswith("sha256:"):
        return f"sha256:{hashlib.sha256(data).hexdigest()}"
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"
