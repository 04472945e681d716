"""Whether the emulator of a processor without AVX is there."""

from __future__ import annotations

import pytest

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.runtime.processor import interpreter_command

__all__ = ["needs_emulator"]


def _is_missing() -> bool:
    try:
        interpreter_command(emulate=True)
    except RuntimeUnavailableError:
        return True
    return False


needs_emulator = pytest.mark.skipif(
    _is_missing(), reason="no emulator of a processor without AVX (qemu-user)"
)
"""Marks a test that needs the emulator."""
