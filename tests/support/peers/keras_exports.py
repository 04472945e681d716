"""Keras nets as TensorFlow's converter writes them by default, made once and kept."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import subprocess
from pathlib import Path

from tests.support.peers.environments import peer_environment, peer_python
from tests.support.real_models import cache

__all__ = ["NAMES", "keras_exports"]

_EXPORT = Path(__file__).with_name("keras_export.py")

NAMES = (
    "batch", "batch_attention", "batch_flatten", "batch_int8", "batch_reshape", "open_crop",
    "open_deconvolution", "open_length", "open_map", "open_pool", "open_resizing", "open_same",
)  # fmt: skip
"""The nets: those that leave the batch open, and those that leave other sizes open too."""


@functools.cache
def keras_exports() -> dict[str, Path]:
    """The files by the names of the nets.

    Raises:
        AssertionError: the converter did not get through.
    """
    key = hashlib.sha256(_EXPORT.read_bytes()).hexdigest()[:12]
    folder = cache() / f"keras-{key}"
    with (cache() / f"{folder.name}.lock").open("w") as turn:
        # Several test processes may want them at once: one makes them, the others wait.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            done = subprocess.run(
                [str(peer_python()), str(_EXPORT), str(folder)],
                env=peer_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise AssertionError(f"keras_export ended with {done.returncode}: {done.stderr}")
            (folder / "made").touch()
    return {name: folder / f"{name}.tflite" for name in NAMES}
