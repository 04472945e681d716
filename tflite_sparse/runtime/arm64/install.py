"""Where LiteRT for 64-bit Arm lies once it is installed, and how to start its Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.arm64.packages import LITERT, PACKAGES
from tflite_sparse.runtime.arm64.plugin import compiler, counter, emulator, refusal
from tflite_sparse.runtime.arm64.processors import PROCESSORS, describe
from tflite_sparse.runtime.packages.bundles import Bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.runtime.arm64.processors import ArmProcessor

__all__ = ["ARM64", "arm64_command", "arm64_environment"]

INSTALL = "tflite-sparse runtime install arm64"
"""How to install it."""

_QEMU = "apt install qemu-user"
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def _unpack(archives: Sequence[Path], folder: Path) -> None:
    """Puts Debian's files under root, wheels under site, and a root for each processor beside."""
    dpkg = shutil.which("dpkg-deb")
    if dpkg is None:
        raise RuntimeUnavailableError(
            "dpkg-deb was not found, which unpacks Debian packages", hint="install dpkg"
        )
    root, site = folder / "root", folder / "site"
    root.mkdir()
    for archive in archives:
        if archive.suffix == ".deb":
            done = subprocess.run(
                [dpkg, "--extract", str(archive), str(root)], capture_output=True, check=False
            )
            if done.returncode:
                reason = " ".join(done.stderr.decode("utf-8", "replace").split())
                raise RuntimeUnavailableError(f"{archive.name} cannot be unpacked: {reason}")
        else:
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(site)
    for processor in PROCESSORS:
        own = folder / "processors" / processor.name
        describe(processor, own)
        for name in ("usr", "lib", "etc"):
            (own / name).symlink_to(Path("..", "..", "root", name))


def _lacks() -> list[str]:
    lines = []
    if emulator() is None:
        lines.append(f"qemu-aarch64 is missing, which runs it: {_QEMU}")
    if compiler() is None:
        lines.append("a C compiler is missing, for counts of instructions: apt install gcc")
    refused = refusal()
    if refused is not None:
        lines.append(refused)
    return lines


ARM64 = Bundle(
    "arm64", f"LiteRT {LITERT} for 64-bit Arm, to run emulated", PACKAGES, _unpack, _lacks
)
"""LiteRT for 64-bit Arm, its Python, and the libraries of both."""


def arm64_command(processor: ArmProcessor, counts: str | None = None) -> list[str]:
    """How to start a Python for 64-bit Arm on an emulated processor.

    Args:
        processor: the processor.
        counts: the file that gets counts of instructions; None to count none.

    Raises:
        RuntimeUnavailableError: it is not installed, or qemu is missing.
    """
    if not ARM64.is_unpacked:
        what = "is not installed"
        if ARM64.folder.is_dir():
            what = "was installed by another version of this program, of other packages"
        raise RuntimeUnavailableError(f"LiteRT for 64-bit Arm {what}", hint=INSTALL)
    qemu = emulator()
    if qemu is None:
        raise RuntimeUnavailableError(
            f"qemu-aarch64 was not found, which emulates a {processor.title}",
            hint=f"install it, on Debian and Ubuntu with '{_QEMU}'",
        )
    command = [qemu, "-cpu", processor.emulated]
    if counts is not None:
        command += ["-plugin", f"{counter(ARM64.folder)},out={counts}"]
    root = ARM64.folder / "processors" / processor.name
    return [*command, "-L", str(root), str(ARM64.folder / "root" / "usr" / "bin" / "python3.11")]


def arm64_environment() -> dict[str, str]:
    """The environment of such a Python: its own packages first, then this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ARM64.folder / "site"), str(_PACKAGE_ROOT)]),
        # Compiling takes seconds under emulation, and must not leave anything elsewhere.
        "PYTHONPYCACHEPREFIX": str(ARM64.folder / "compiled"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
