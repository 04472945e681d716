"""The contestants: the package as the tree has it and as it was, installed as users do it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.support.peers.environments import ROOT, peer_environment, peer_python

__all__ = ["digest", "installed", "peer_script", "peer_versions", "tool"]


def installed(revision: str | None = None) -> Path:
    """The command `tflite-sparse` of a fresh installation without optional parts.

    Args:
        revision: a revision of the repository; None for the tree as it is.
    """
    folder = Path(tempfile.mkdtemp(prefix="tflite-sparse-race-"))
    source = ROOT
    if revision is not None:
        source = folder / "source"
        archive = folder / "source.tar"
        subprocess.run(["git", "archive", "--output", str(archive), revision], cwd=ROOT, check=True)
        with tarfile.open(archive) as files:
            files.extractall(source, filter="data")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    install = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    # Modules are compiled as pip always does it; the peers' are at their first run.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [*install, "--disable-pip-version-check", str(source)], check=True, env=environment
    )
    return folder / "venv" / "bin" / "tflite-sparse"


def tool(command: Path, *arguments: object) -> tuple[list[str], dict[str, str]]:
    """A run of the tool: words and environment."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return [str(command), *map(str, arguments)], environment


def peer_script(script: Path, *arguments: object) -> tuple[list[str], dict[str, str]]:
    """A run of a script with the peers: words and environment."""
    return [str(peer_python()), str(script), *map(str, arguments)], peer_environment()


def peer_versions(*names: str) -> dict[str, str]:
    """Versions of packages that the peers have installed."""
    script = "import sys, importlib.metadata as m; print(*(m.version(n) for n in sys.argv[1:]))"
    done = subprocess.run(
        [str(peer_python()), "-c", script, *names],
        env=peer_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(names, done.stdout.split(), strict=True))


def digest(*files: Path) -> str:
    """A short name for the contents of files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
