"""Keras nets as TensorFlow's converter writes them by default, made once and kept."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from tests.support.peers.environments import made_once, run_peer

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
    folder = made_once(f"keras-{key}", lambda home: run_peer(_EXPORT, home))
    return {name: folder / f"{name}.tflite" for name in NAMES}
