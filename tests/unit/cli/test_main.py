"""The process ends with the exit code of the command."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["no-such-command"], 2)])
def test_the_exit_code_is_that_of_the_command(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-m", "tflite_sparse", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_a_full_device_is_an_error_at_the_end_too() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a stream
        command = [sys.executable, "-m", "tflite_sparse", "--version"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left" in done.stderr
