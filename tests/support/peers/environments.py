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

from tests.support.real_models import cache

__all__ = ["MLIR_SPARSIFY", "ROOT", "mlir_sparsify", "peer_environment", "peer_python"]

ROOT = Path(__file__).parents[3]
_LOCK = ROOT / "requirements-peers.lock"
MLIR_SPARSIFY = Path(__file__).with_name("mlir_sparsify.py")
"""TensorFlow's path as a command, for the Python of the peers."""


@functools.cache
def peer_python() -> Path:
    """The Python that has the peers installed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    folder = cache() / f"peers-{version}-{key}"
    python = folder / "bin" / "python"
    with (cache() / f"{folder.name}.lock").open("w") as turn:
        # Several test processes may want it at once: one makes it, the others wait.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            install = [str(python), "-m", "pip", "install", "--quiet"]
            install += ["--disable-pip-version-check", "--require-hashes", "-r", str(_LOCK)]
            subprocess.run(install, check=True, env=peer_environment())
            (folder / "installed").touch()
    return python


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
    files = [str(path) for pair in pairs for path in pair]
    done = subprocess.run(
        [str(peer_python()), str(MLIR_SPARSIFY), *files],
        env=peer_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"mlir_sparsify ended with {done.returncode}: {done.stderr[-1000:]}")
