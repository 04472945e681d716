"""Commands on a system that has nothing of what only Linux and other kinds of Unix have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What is missing on Windows is missing from the start, as modules may ask when they are imported.
WITHOUT = """
import builtins, mmap, os, signal, sys

imported = builtins.__import__

def without(name, *arguments, **named):
    if name in ("fcntl", "resource", "pwd", "grp", "termios"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return imported(name, *arguments, **named)

for name in ("fcntl", "resource"):
    sys.modules.pop(name, None)
import tempfile, subprocess, multiprocessing, concurrent.futures
for name in ("fork", "fchmod", "fchown", "killpg", "geteuid", "getuid", "O_TMPFILE", "O_NOFOLLOW",
             "sched_getaffinity", "setsid", "link", "posix_fadvise", "WIFEXITED"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("pthread_sigmask", "SIGHUP", "SIGKILL", "SIGPIPE", "setitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
if hasattr(mmap, "MADV_DONTNEED"):
    del mmap.MADV_DONTNEED
builtins.__import__ = without
from tflite_sparse.cli.main import run

for command in COMMANDS:
    try:
        run(command)
    except SystemExit as end:
        print(*command, "->", end.code, file=sys.stderr)
        if end.code:
            raise
"""
COMMANDS = [
    ["inspect", "model.tflite"],
    ["sparsify", "model.tflite", "-o", "out.tflite"],
    ["sparsify", "model.tflite", "-o", "out.tflite", "--force"],
    ["densify", "out.tflite", "--in-place"],
    ["diff", "model.tflite", "out.tflite"],
    ["optimize", ".", "-o", "../fast", "--no-verify"],
    ["report", "model.tflite"],
    ["lint", "model.tflite", "--isolated", "-j", "1", "--fail-on", "error"],
]


def test_commands_need_nothing_that_only_unix_has(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(ROOT / "testdata" / "mobilenet_tiny_80.tflite", folder / "model.tflite")
    code = WITHOUT.replace("COMMANDS", repr(COMMANDS))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("-> 0") == len(COMMANDS)
    assert sorted(p.name for p in folder.iterdir()) == ["model.tflite", "out.tflite", "report.html"]
    assert len(list((tmp_path / "fast").iterdir())) == 2
