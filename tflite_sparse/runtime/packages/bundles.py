"""What can be installed by name: packages that belong together, and what is made of them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Count, Record
from tflite_sparse.runtime.packages.package import Package, archives, cache_folder
from tflite_sparse.words.near import did_you_mean

__all__ = ["Bundle", "BundleState", "bundle", "bundles", "install", "remove", "state"]

_STAMP = ".pins"


class Bundle(msgspec.Struct, frozen=True):
    """Packages that make a runtime, or a part of one.

    Attributes:
        name: by what it is installed.
        title: what it is, for people.
        packages: what it consists of.
        unpack: makes a folder of the archives of the packages, in their order, that is used
            instead of them; None where the archives are all that is needed.
        lacks: what the machine lacks to run it and how to get that, a line each.
    """

    name: str
    title: str
    packages: tuple[Package, ...]
    unpack: Callable[[Sequence[Path], Path], None] | None = None
    lacks: Callable[[], list[str]] = list

    @property
    def folder(self) -> Path:
        """Where what was unpacked lies."""
        return cache_folder() / self.name

    @property
    def pins(self) -> str:
        """What tells it from the same bundle of other packages."""
        hashes = "".join(package.integrity for package in self.packages)
        return hashlib.sha256(hashes.encode()).hexdigest()

    @property
    def is_unpacked(self) -> bool:
        """Whether what was unpacked is there, and of these packages."""
        stamp = self.folder / _STAMP
        return stamp.is_file() and stamp.read_text("utf-8") == self.pins


class BundleState(Record, frozen=True):
    """What there is of a bundle.

    Attributes:
        name: by what it is installed.
        title: what it is, for people.
        installed: whether it is there.
        bytes: how much it takes of the disk.
        place: where it is, or would be.
        lacks: what the machine lacks to run it and how to get that.
        outdated: whether one is there that another version of this program installed, of other
            packages, and that is not used.
    """

    name: str
    title: str
    installed: bool
    bytes: Count
    place: str
    lacks: tuple[str, ...]
    outdated: bool = False


def bundles() -> tuple[Bundle, ...]:
    """All that can be installed."""
    from tflite_sparse.runtime.arm64.install import ARM64
    from tflite_sparse.runtime.litert.releases import LITERT_RELEASES
    from tflite_sparse.runtime.web.litertjs import LITERTJS, OLDER

    return (ARM64, LITERTJS, *OLDER, *reversed(LITERT_RELEASES))


def bundle(name: str) -> Bundle:
    """The bundle of a name.

    Raises:
        UsageError: there is none.
    """
    for each in bundles():
        if each.name == name:
            return each
    names = [each.name for each in bundles()]
    raise UsageError(
        f"there is no runtime {name!r} to install",
        hint=f"{did_you_mean(name, names)}there are: {', '.join(names)}",
    )


def state(of: Bundle) -> BundleState:
    """What there is of a bundle.

    Args:
        of: the bundle.
    """
    kept = [path for path in _archives(of) if path.is_file()]
    installed = len(kept) == len(of.packages) if of.unpack is None else of.is_unpacked
    own = (path for path in of.folder.rglob("*") if path.name != _STAMP)
    files = [*kept, *(path for path in own if not path.is_symlink())]
    size = sum(path.stat().st_size for path in files if path.is_file())
    place = cache_folder() if of.unpack is None else of.folder
    outdated = of.unpack is not None and of.folder.is_dir() and not installed
    return BundleState(of.name, of.title, installed, size, str(place), tuple(of.lacks()), outdated)


def install(of: Bundle) -> bool:
    """Fetches and unpacks a bundle; whoever is interrupted leaves no half of it.

    One of other packages, from another version of this program, gives way to it.

    Args:
        of: the bundle.

    Returns:
        Whether there was anything to do.

    Raises:
        RuntimeUnavailableError: a package cannot be had.
    """
    if state(of).installed:
        return False
    paths = archives(of.packages)
    if of.unpack is not None:
        with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
            unpacked = Path(work, of.name)
            unpacked.mkdir()
            of.unpack(paths, unpacked)
            (unpacked / _STAMP).write_text(of.pins, "utf-8")
            # Who did it at the same time has made the same.
            if not of.is_unpacked:
                if of.folder.is_dir():
                    of.folder.rename(Path(work, "outdated"))
                unpacked.rename(of.folder)
        for path in paths:
            path.unlink(missing_ok=True)
    return True


def remove(of: Bundle) -> bool:
    """Removes a bundle; whether there was anything of it.

    Args:
        of: the bundle.
    """
    kept = [path for path in _archives(of) if path.is_file()]
    for path in kept:
        path.unlink()
    there = of.folder.is_dir()
    if there:
        # What is half removed must not be taken for what is installed.
        with tempfile.TemporaryDirectory(dir=cache_folder(), ignore_cleanup_errors=True) as work:
            shutil.move(of.folder, Path(work, of.name))
    return bool(kept) or there


def _archives(of: Bundle) -> list[Path]:
    return [cache_folder() / package.file for package in of.packages]
