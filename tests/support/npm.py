"""Packages of npm for the tests: pinned by integrity, kept in the cache, never committed."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.support.real_models import cache

__all__ = ["SARIF_SCHEMA", "npm_file", "npm_package"]

SARIF_SCHEMA = (
    "@microsoft/jest-sarif",
    "1.0.0-beta.0",
    "sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
    "lib/schemas/sarif-2.1.0-rtm.5.json",
)
"""Package, version and integrity of a package with the published schema, and where it has it."""


def npm_package(name: str, version: str, integrity: str) -> Path:
    """The archive of a package; a download that fails or differs is a test that fails."""
    target = cache() / f"{name.replace('/', '-').lstrip('@')}-{version}.tgz"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as work:
            command = ["npm", "pack", "--silent", f"{name}@{version}"]
            subprocess.run(command, cwd=work, check=True, capture_output=True)
            next(Path(work).glob("*.tgz")).replace(target)
    digest = base64.b64encode(hashlib.sha512(target.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == integrity, f"{target.name} is not the pinned package"
    return target


def npm_file(name: str, version: str, integrity: str, path: str) -> bytes:
    """One file of a package."""
    with tarfile.open(npm_package(name, version, integrity)) as archive:
        member = archive.extractfile(f"package/{path}")
        assert member is not None
        return member.read()
