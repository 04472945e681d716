"""The process in which models run: python -m tflite_sparse.runtime.litert.worker.

It imports the runtime once and forks for every task, so that a model which aborts or hangs takes
only its own process along, and the next one does not wait for imports again, which under emulation
take seconds. Requests and answers are pickles with their length in front, on standard input and
output; both ends are this package.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["main", "receive", "send"]

_LENGTH = struct.Struct("<Q")
_LONGEST_LOG = 4000


def send(file: Any, message: Any) -> None:
    """Writes one message."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    file.write(_LENGTH.pack(len(data)))
    file.write(data)
    file.flush()


def receive(file: Any) -> Any:
    """Reads one message; None at the end of the stream."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = file.read(size)
    if len(data) < size:
        return None
    return pickle.loads(data)  # noqa: S301 - the other end is this package


def _child(request: dict[str, Any], pipe: int, log: int, ends: tuple[int, ...]) -> NoReturn:
    # Were they left open, the other end would not notice that the worker has died.
    for end in ends:
        os.close(end)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from tflite_sparse.runtime.litert import tasks

    with os.fdopen(pipe, "wb") as file:
        send(file, tasks.perform(request))
    # Skips the runtime's clean-up, which is of no use here and has been seen to hang.
    os._exit(0)


def _perform_here(request: dict[str, Any]) -> tuple[str, str, Any]:
    """The task in this process, where no other can be forked: it ends where the task hangs."""
    from tflite_sparse.runtime.litert import tasks

    watch = threading.Timer(float(request["timeout"]), os._exit, (1,))
    watch.daemon = True
    watch.start()
    try:
        status, detail, answer = tasks.perform(request)
    finally:
        watch.cancel()
    return status, detail, answer


def _read_until(pipe: int, deadline: float) -> tuple[bytes, bool]:
    """All that the child writes, and whether it ended in time."""
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return b"".join(parts), False
        part = os.read(pipe, 1 << 20)
        if not part:
            return b"".join(parts), True
        parts.append(part)


def _perform(request: dict[str, Any], ends: tuple[int, ...]) -> tuple[str, str, Any]:
    """(status, detail, answer) of one task, done in a process of its own without these files."""
    if not hasattr(os, "fork") or not hasattr(signal, "SIGKILL"):
        return _perform_here(request)
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(request, writing, log.fileno(), ends)
        os.close(writing)
        timeout = float(request["timeout"])
        data, in_time = _read_until(reading, time.monotonic() + timeout)
        os.close(reading)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, code = os.waitpid(child, 0)
        log.seek(0)
        messages = log.read()[-_LONGEST_LOG:].decode("utf-8", "replace").strip()
    if not in_time:
        return "timed-out", f"not done after {timeout:g} s", None
    ended = os.waitstatus_to_exitcode(code)
    if len(data) > _LENGTH.size and ended >= 0:
        status, detail, answer = pickle.loads(data[_LENGTH.size :])  # noqa: S301 - our child
        return status, detail, answer
    how = ending(ended)
    return "crashed", f"{how}: {_last_line(messages)}" if messages else how, None


def ending(code: int) -> str:
    """How a process ended, in words.

    Args:
        code: its exit code; negative for the signal that ended it.
    """
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith(("INFO:", "WARNING:"))]
    return lines[-1].strip() if lines else ""


def main() -> None:
    """Serves tasks until standard input ends."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from tflite_sparse.runtime.litert import tasks

    try:
        tasks.preload()
        send(answers, ("ready", ""))
    except ImportError as error:
        send(answers, ("missing", str(error)))
        return
    while (request := receive(requests)) is not None:
        send(answers, _perform(request, (requests.fileno(), answers.fileno())))


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]
    main()
