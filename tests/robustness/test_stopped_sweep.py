"""A sweep that Ctrl-C stops in the middle of its work leaves what is done, and goes on there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.command import call
from tests.support.docs.make_testdata import FOLDER
from tflite_sparse.sweeping import sweep as engine

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
ARGUMENTS = ("sweep", FOLDER / "mobilenet_tiny_80.tflite", "--zeros", "85,88,91,94,97")
PATIENCE = 600.0
# A shell's background jobs ignore interrupts.
PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tflite_sparse.cli.main import run
run()
"""


def done(cache: Path) -> dict[Path, int]:
    """What is kept, and when it came there."""
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*.msgpack")}


def in_session(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Its name, in parentheses, may be anything.
            words = status.read_text("utf-8", "replace").rpartition(")")[2].split()
            if words[0] != "Z" and int(words[3]) == session:
                found.append(int(status.parent.name))
    return found


def test_ctrl_c_leaves_what_is_done_and_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    command = [sys.executable, "-c", PROGRAM, *map(str, ARGUMENTS), "--jobs", "2"]
    environment = {**os.environ, "TFLITE_SPARSE_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        end = time.monotonic() + PATIENCE
        while not done(cache) and running.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        # As a terminal does: to all of its processes.
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert said.splitlines() == [
        "what is done is kept: the same command goes on from there",
        "tflite-sparse: interrupted",
    ]
    before = done(cache)
    assert before
    # Whole files alone, and nobody who works on.
    while in_session(running.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert in_session(running.pid) == []
    assert [path for path in cache.rglob("*") if path.is_file() and path not in before] == []
    monkeypatch.setenv("TFLITE_SPARSE_CACHE", str(cache))
    monkeypatch.setattr(engine, "thresholds", lambda *_: ())
    assert call(*ARGUMENTS, "--jobs", 1).code == 0
    after = done(cache)
    assert len(after) > len(before)
    assert {path: after[path] for path in before} == before
