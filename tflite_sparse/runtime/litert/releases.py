"""Releases of LiteRT beside the one that is installed, to run models on: pinned, and kept.

Their wheels are for one version of Python. Whoever has another installs a release by pip, into an
environment of its own, where every command runs on it.
"""

from __future__ import annotations

import contextlib
import platform
import sys
import zipfile
from typing import TYPE_CHECKING

from tflite_sparse.errors import RuntimeUnavailableError, UsageError
from tflite_sparse.runtime.litert.driver import litert_version
from tflite_sparse.runtime.packages.bundles import Bundle
from tflite_sparse.runtime.packages.package import Package
from tflite_sparse.xnnpack.releases.runtimes import RUNTIMES, runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["LITERT_RELEASES", "on_release"]

_PACKAGE = "ai-edge-litert"
_PYTHON = (3, 11)
_PINS = {
    "1.2.0": (17, "3648518458b17bdab2e0fbab76d3ad520765298a2694a25571bd9ad3160a3c85"),
    "1.3.0": (17, "cfc43125652d976f56fe3d7b0f3bcb28b7917812b4b94a10b673f7e63553c606"),
    "1.4.0": (17, "138aac5f29c1dfc220519be79c86afec815bc992bd3f08b0f82cee967d8e386f"),
    "2.0.3": (27, "6772f260c51462fbccd0c7460f0f715af580f382a5c2e77addf8ed30fb6b81b2"),
    "2.1.6": (27, "af4f2ba681fa2c688746cbd7ddd71a2bbbdd9e6a51aa609d382bfad77d1c695e"),
}
"""Of each release the version of glibc that its wheel asks for, and its sha256."""


def _unpack(archives: Sequence[Path], folder: Path) -> None:
    for archive in archives:
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)


def _lacks() -> list[str]:
    if sys.version_info[:2] == _PYTHON and (sys.platform, platform.machine()) == (
        "linux",
        "x86_64",
    ):
        return []
    version = ".".join(map(str, _PYTHON))
    return [
        f"it is for Python {version} on Linux on x86-64; elsewhere pip installs it beside this tool"
    ]


def _bundle(version: str) -> Bundle:
    glibc, sha256 = _PINS[version]
    file = f"ai_edge_litert-{version}-cp311-cp311-manylinux_2_{glibc}_x86_64.whl"
    package = Package(_PACKAGE, version, f"sha256:{sha256}", "pip", file)
    slug = runtime(f"litert-{version}").slug
    return Bundle(slug, f"LiteRT {version}", (package,), _unpack, _lacks)


LITERT_RELEASES = tuple(_bundle(version) for version in _PINS)
"""What `verify --runtime` and `bench --runtime` run on, oldest first."""


@contextlib.contextmanager
def on_release(name: str | None) -> Iterator[None]:
    """Runs models on a release for as long as the block lasts.

    Args:
        name: the release, such as "litert-1.3"; None for the one that is installed.

    Raises:
        UsageError: there is no such release, or it is never run on this machine.
        RuntimeUnavailableError: it is not installed, or not for this Python.
    """
    if name is None:
        yield
        return
    release = runtime(name)
    if litert_version() in release.versions:
        yield
        return
    bundle = next((each for each in LITERT_RELEASES if each.name == release.slug), None)
    if bundle is None:
        raise UsageError(f"{release.name} is not one to run models on", hint=_instead(name))
    lacks = bundle.lacks()
    if lacks:
        version = bundle.packages[0].version
        raise RuntimeUnavailableError(
            f"{release.name} cannot be run here: {lacks[0]}",
            hint=f"pip install {_PACKAGE}=={version}, in an environment of its own",
        )
    if not bundle.is_unpacked:
        raise RuntimeUnavailableError(
            f"{release.name} is not installed", hint=f"tflite-sparse runtime install {bundle.name}"
        )
    # Processes that run models look for packages where this one does.
    folder = str(bundle.folder)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _instead(name: str) -> str:
    if runtime(name).browser:
        return "bench --on web --litertjs times models on LiteRT.js"
    # None of them where a newer one is installed than is known.
    installed = [entry.slug for entry in RUNTIMES if litert_version() in entry.versions]
    names = ", ".join([*(each.name for each in LITERT_RELEASES), *installed])
    return f"there are: {names}; inspect --runtime plans for the others"
