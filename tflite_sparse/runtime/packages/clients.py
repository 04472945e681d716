"""Who brings packages: npm, pip and apt as the machine has them set up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Literal

from tflite_sparse.errors import RuntimeUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tflite_sparse.runtime.packages.package import Package

__all__ = ["CLIENTS", "Client"]

Client = Literal["npm", "pip", "apt"]
"""What brings a package: from npm's registry, from PyPI, or from a Debian archive."""

_TIMEOUT = 300.0
_OFFLINE = {
    "npm": "name the package's folder with --litertjs where there is no network",
    "pip": "look at pip's index setting",
    "apt": "the packages are those of Debian 12: where apt has other sources, put their archives"
    " into the cache by hand",
}


def _npm(packages: Sequence[Package], folder: Path) -> list[Path]:
    npm = _program("npm", packages, "install Node.js, or name the package's folder with --litertjs")
    brought = []
    for number, package in enumerate(packages):
        own = folder / str(number)
        own.mkdir()
        wanted = f"{package.name}@{package.version}"
        _call([npm, "pack", "--silent", "--ignore-scripts", wanted], own, "npm", wanted)
        brought.append(_only(own, "npm", wanted))
    return brought


def _pip(packages: Sequence[Package], folder: Path) -> list[Path]:
    brought = []
    for number, package in enumerate(packages):
        own = folder / str(number)
        own.mkdir()
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--only-binary=:all:"]
        _call([*command, *_platform(package.file), wanted], own, "pip", wanted)
        brought.append(_only(own, "pip", wanted))
    return brought


def _platform(wheel: str) -> list[str]:
    """The options of pip for the platform that a wheel's name states."""
    *_, python, abi, platforms = wheel.removesuffix(".whl").split("-")
    if platforms == "any":
        return []
    options = ["--implementation", "cp", "--python-version", python.removeprefix("cp")]
    for platform in platforms.split("."):
        options += ["--platform", platform]
    return [*options, "--abi", abi]


def _apt(packages: Sequence[Package], folder: Path) -> list[Path]:
    """Fetches with a state of apt's of its own, so that nothing of the machine's changes."""
    apt = _program("apt-get", packages, "apt brings them on Debian and Ubuntu only")
    state, own = folder / "state", folder / "brought"
    for path in (state / "lists" / "partial", folder / "cache" / "archives" / "partial", own):
        path.mkdir(parents=True)
    (state / "status").touch()
    architecture = packages[0].file.removesuffix(".deb").rpartition("_")[2]
    command = [apt, "-qq"]
    for option in (
        f"APT::Architecture={architecture}",
        f"APT::Architectures::={architecture}",
        f"Dir::State={state}",
        f"Dir::State::status={state / 'status'}",
        f"Dir::Cache={folder / 'cache'}",
        # It runs as the user who asks, whose folders apt's own user may not read.
        "APT::Sandbox::User=root",
    ):
        command += ["-o", option]
    _call([*command, "update"], own, "apt", f"what it has for {architecture}")
    wanted = [f"{package.name}={package.version}" for package in packages]
    _call([*command, "download", *wanted], own, "apt", wanted[0])
    for package in packages:
        if not (own / package.file).is_file():
            raise RuntimeUnavailableError(
                f"apt could not bring {package.name}={package.version}", hint=_OFFLINE["apt"]
            )
    return [own / package.file for package in packages]


CLIENTS: dict[Client, Callable[[Sequence[Package], Path], list[Path]]] = {
    "npm": _npm,
    "pip": _pip,
    "apt": _apt,
}
"""For each client what fetches packages by it into a folder, and says where each lies there."""


def _program(name: str, packages: Sequence[Package], hint: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise RuntimeUnavailableError(
            f"{name} was not found, which brings {packages[0].name}", hint=hint
        )
    return program


def _call(command: list[str], folder: Path, client: Client, wanted: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeUnavailableError(
            f"{client} did not bring {wanted} within {_TIMEOUT:g} s", hint="try again"
        ) from None
    if done.returncode:
        reason = " ".join(done.stderr.split())[-300:] or f"exit code {done.returncode}"
        raise RuntimeUnavailableError(
            f"{client} could not bring {wanted}: {reason}", hint=_OFFLINE[client]
        )


def _only(folder: Path, client: Client, wanted: str) -> Path:
    brought = list(folder.iterdir())
    if len(brought) != 1:
        raise RuntimeUnavailableError(
            f"{client} could not bring {wanted}: it ended without it", hint=_OFFLINE[client]
        )
    return brought[0]
