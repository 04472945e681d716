"""What tests on real runtimes share. None is skipped: what is missing makes them fail."""

from __future__ import annotations

import pytest

from tflite_sparse.runtime.litert.processor import interpreter_command


@pytest.fixture(scope="session")
def emulator() -> list[str]:
    """The command of the emulated Python; without qemu the error says how to install it."""
    return interpreter_command(emulate=True)
