"""Other tools that the package is held against, in a virtual environment of their own.

It is made from requirements-peers.lock where it is first needed and kept beside the downloads of
`real_models`; with TensorFlow in it, it takes 2 GB. Where it fails, the test fails.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.real_models import cache

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MLIR_SPARSIFY",
    "ROOT",
    "environment_of",
    "made_once",
    "mlir_sparsify",
    "peer_environment",
    "peer_python",
    "run_peer",
]

ROOT = Path(__file__).parents[3]
_LOCK = ROOT / "requirements-peers.lock"
MLIR_SPARSIFY = Path(__file__).with_name("mlir_sparsify.py")
"""TensorFlow's path as a command, for the Python of the peers."""


@functools.cache
def peer_python() -> Path:
    """The Python that has the peers installed."""
    return environment_of("peers", _LOCK) / "bin" / "python"


def environment_of(name: str, lock: Path) -> Path:
    """A virtual environment with what a lock names, made where it is missing.

    Args:
        name: what it begins with.
        lock: requirements with their hashes.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]

    def install(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        python = str(folder / "bin" / "python")
        wanted = ["--quiet", "--require-hashes", "-r", str(lock)]
        # uv takes an eighth of pip's time; an index that only pip knows of is pip's.
        uv = [sys.executable, "-m", "uv", "pip", "install", "--no-config", "--python", python]
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
        if subprocess.run([*uv, *wanted], check=False).returncode:
            subprocess.run([*pip, *wanted], check=True, env=peer_environment())

    return made_once(f"{name}-{version}-{key}", install)


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is kept beside the downloads, and made where it is missing or half made.

    Args:
        name: of the folder.
        make: makes what belongs into it; the folder is there.
    """
    folder = cache() / name
    with (cache() / f"{name}.lock").open("w") as turn:
        # Several test processes may want it at once: one makes it, the others wait.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "installed").touch()
    return folder


def run_peer(script: Path, *arguments: str | Path) -> None:
    """Runs a script with the Python of the peers.

    Raises:
        AssertionError: it did not get through.
    """
    done = subprocess.run(
        [str(peer_python()), str(script), *map(str, arguments)],
        env=peer_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{script.stem} ended with {done.returncode}: {done.stderr[-1000:]}")


def peer_environment() -> dict[str, str]:
    """The environment for peers: calm, and with compiled modules, which makes them start faster."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    # Modules beside a script must not stand in for theirs.
    environment["PYTHONSAFEPATH"] = "1"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def mlir_sparsify(pairs: list[tuple[Path, Path]]) -> None:
    """TensorFlow's own tflite -> tflite path, for some models in one process.

    Args:
        pairs: for each model where it is and where the result goes.

    Raises:
        AssertionError: it did not get through.
    """
    run_peer(MLIR_SPARSIFY, *(path for pair in pairs for path in pair))
