"""Runs a command again and again, stopped by a signal at every step that touches the system.

As a script: `python -m tests.robustness.stopper SIGNAL FOLDER KEEP ARGUMENT...`. Each run happens
in a fork, in a folder that is set up anew with the files of the folder KEEP. The signal comes at
the first event that Python's audit hooks report (files opened, linked, renamed, mapped ...), then
at the second, and so on, until a run gets through. Prints, as JSON, what each run left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["main"]

_EVENTS = ("open", "os.", "mmap.", "tempfile.", "shutil.", "subprocess.", "fcntl.", "ctypes.")
# Bookkeeping of the interpreter, in which nothing is under way.
_QUIET = {"os.listdir", "os.scandir", "os.walk", "os.fwalk"}


def main() -> None:
    """Runs the sweep that the command line asks for."""
    number = signal.Signals[sys.argv[1]]
    folder, keep, arguments = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    os.chdir(folder)
    # Once to the end: what is imported then makes no events later.
    runs = [_run(folder, keep, arguments, number, 10**9)]
    at = 0
    while not runs[-1]["finished"] or at == 0:
        runs.append(_run(folder, keep, arguments, number, at))
        at += 1
    print(json.dumps(runs))  # noqa: T201 - the result


def _run(
    folder: Path, keep: Path, arguments: list[str], number: signal.Signals, at: int
) -> dict[str, Any]:
    for path in folder.iterdir():
        path.unlink()
    for path in keep.iterdir():
        shutil.copy2(path, folder)
    with tempfile.TemporaryFile() as errors:
        if at == 10**9:
            # In this process, so that the forks have all modules.
            with contextlib.suppress(SystemExit), open(os.devnull, "w") as nothing:  # noqa: PTH123
                from tflite_sparse.cli.main import run

                with contextlib.redirect_stdout(nothing):
                    run(list(arguments))
            return {**_left(folder), "code": 0, "said": "", "finished": True}
        child = os.fork()
        if child == 0:
            _child(arguments, number, at, errors.fileno())
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    finished = said.endswith("\nFINISHED\n") or said == "FINISHED\n"
    code = os.waitstatus_to_exitcode(status)
    return {**_left(folder), "code": code, "said": said, "finished": finished}


def _child(arguments: list[str], number: signal.Signals, at: int, errors: int) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(errors, 2)
    # A shell's background jobs ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    me, seen = os.getpid(), -1

    def count(event: str, _: object) -> None:
        nonlocal seen
        if event.startswith(_EVENTS) and event not in _QUIET and os.getpid() == me:
            seen += 1
            if seen == at:
                os.kill(me, number)

    from tflite_sparse.cli.main import run

    sys.addaudithook(count)
    code = 0
    try:
        run(list(arguments))
    except SystemExit as end:
        code = int(end.code or 0)
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    if seen < at:
        os.write(2, b"FINISHED\n")
    os._exit(code)


def _left(folder: Path) -> dict[str, Any]:
    return {
        "files": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
        },
        "modes": {path.name: path.stat().st_mode & 0o7777 for path in folder.iterdir()},
    }


if __name__ == "__main__":
    main()
