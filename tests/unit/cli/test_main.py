"""The process ends at once, but not before what was asked for has happened."""

from __future__ import annotations

import subprocess
import sys

import pytest


def leave(code: str) -> tuple[int, str]:
    """The exit code and the output of a process that runs some code, and then the command."""
    text = f"""
import atexit, sys, threading, time
sys.argv = ["tflite-sparse", *sys.argv[1:]]
{code}
from tflite_sparse.__main__ import main
main()
"""
    command = [sys.executable, "-c", text, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_what_was_registered_for_the_end_is_done() -> None:
    code, out = leave("atexit.register(print, 'the end')")
    assert code == 0
    assert out.splitlines()[1:] == ["the end"]


def test_a_thread_that_is_to_be_waited_for_is() -> None:
    late = "def late():\n    time.sleep(0.5)\n    print('late')\nthreading.Thread(target=late"
    assert leave(f"{late}).start()")[1].splitlines()[1:] == ["late"]
    assert leave(f"{late}, daemon=True).start()")[1].splitlines()[1:] == []


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
