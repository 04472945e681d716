"""Wheels of LiteRT's releases, pinned by sha256, unpacked once and kept beside the downloads."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.support.real_models import cache

__all__ = ["INSTALLED", "WHEELS", "Wheel", "site"]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel for Python 3.11.

    Attributes:
        package: the package on PyPI.
        version: its version.
        platform: the platform that its file name states.
        sha256: of the file.
    """

    package: str
    version: str
    platform: str
    sha256: str

    @property
    def requirement(self) -> str:
        """As pip names it."""
        return f"{self.package}=={self.version}"


_LITERT = {
    "1.0.1": ("17", "afa5eaca094f62e0b7c1981a94b1d03389cbc0e4a963eefb82d49053dd97bd73"),
    "1.1.2": ("17", "346792e27af84ec49820e5e9b65d0545a297c414e752b689dee7cd9e9afea17b"),
    "1.2.0": ("17", "3648518458b17bdab2e0fbab76d3ad520765298a2694a25571bd9ad3160a3c85"),
    "1.3.0": ("17", "cfc43125652d976f56fe3d7b0f3bcb28b7917812b4b94a10b673f7e63553c606"),
    "1.4.0": ("17", "138aac5f29c1dfc220519be79c86afec815bc992bd3f08b0f82cee967d8e386f"),
    "2.0.3": ("27", "6772f260c51462fbccd0c7460f0f715af580f382a5c2e77addf8ed30fb6b81b2"),
    "2.1.6": ("27", "af4f2ba681fa2c688746cbd7ddd71a2bbbdd9e6a51aa609d382bfad77d1c695e"),
    "2.2.0": ("27", "0171f556fffa335281acd7d468de999fd4de32f6bf1a5f14e680676591cef764"),
}
_NUMPY_1 = Wheel(
    "numpy",
    "1.26.4",
    "manylinux2014_x86_64",
    "666dbfb6ec68962c033a450943ded891bed2d54e6755e35e5835d63f4f6931d5",
)
_NUMPY_1_ARM = Wheel(
    "numpy",
    "1.26.4",
    "manylinux_2_17_aarch64",
    "7ab55401287bfec946ced39700c053796e7cc0e3acbef09993a9ad2adba6ca6e",
)
_TFLITE = Wheel(
    "tflite-runtime",
    "2.14.0",
    "manylinux_2_34_aarch64",
    "ce9fa5d770a9725c746dcbf6f59f3178233b3759f09982e8b2db8d2234c333b0",
)
# Built for the numpy of its day.
_WITH = {"1.0.1": (_NUMPY_1,), "tflite-runtime-2.14.0": (_NUMPY_1_ARM,)}

_ARM64 = {
    "1.3.0": ("17", "161a3336dd89f37be291b4061b25c8f8e772dc8e0797aa4cdf03e36cc980fe85"),
    "1.4.0": ("17", "131d1c12dedc0c45aa683106d71ea895117c2332b0efb52712965f8b5e63781d"),
    "2.0.3": ("27", "2d3c0867af845230d060bd555b0942b960caabe9d1cce98bcb3536b380ded372"),
}

WHEELS = {
    # On x86 it needs AVX, with which no release looks at zeros.
    "tflite-runtime-2.14.0": _TFLITE,
    **{
        name: Wheel("ai-edge-litert", name, f"manylinux_2_{glibc}_x86_64", sha256)
        for name, (glibc, sha256) in _LITERT.items()
    },
    **{
        f"{name}-arm64": Wheel("ai-edge-litert", name, f"manylinux_2_{glibc}_aarch64", sha256)
        for name, (glibc, sha256) in _ARM64.items()
    },
}
"""The releases that are recorded beside the one that is installed, oldest first; those on 64-bit
Arm last."""

INSTALLED = version("ai-edge-litert")
"""The release that the tests are installed with."""


def site(release: str) -> Path | None:
    """The folder with the packages of a release; None for the one that is installed."""
    if release == INSTALLED:
        return None
    wheel = WHEELS[release]
    folder = cache() / f"{wheel.package}-{wheel.version}-{wheel.sha256[:12]}"
    if not folder.is_dir():
        # Whoever unpacks it at the same time puts the same whole folder in place.
        with tempfile.TemporaryDirectory(dir=cache()) as work:
            for each in (wheel, *_WITH.get(release, ())):
                with zipfile.ZipFile(_downloaded(each, Path(work, each.package))) as archive:
                    archive.extractall(Path(work, "site"))
            if not folder.is_dir():
                Path(work, "site").rename(folder)
    return folder


def _downloaded(wheel: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", wheel.platform, "--dest", str(folder), wheel.requirement]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found == wheel.sha256, f"{path.name} has the sha256 {found}, {wheel.sha256} is pinned"
    return path
