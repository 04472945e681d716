"""The other end of the worker process: starts it, gives it tasks, and survives its death."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.files.output import scratch
from tflite_sparse.runtime.litert.processor import (
    emulation,
    interpreter_command,
    interpreter_environment,
)
from tflite_sparse.runtime.litert.worker import ending, receive, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import IO

    from typing_extensions import Self

    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["INSTALL", "Worker", "model_file"]

INSTALL = "pip install 'tflite-sparse[litert]'"
"""How to install LiteRT."""


class Worker:
    """A process that runs models, one after the other, each in a process of its own.

    Where no process can be forked it runs them itself, and ends with one that crashes or hangs.

    Args:
        emulate: the processor to emulate; True for one without AVX.

    Raises:
        RuntimeUnavailableError: LiteRT or the emulator is not installed.
    """

    module: ClassVar[str] = "tflite_sparse.runtime.litert.worker"
    """The program of the process."""

    def __init__(self, *, emulate: bool | Emulation = False) -> None:
        self.emulate = emulate
        asked = emulation(emulate)
        self._counts: IO[str] | None = None
        if asked is not None and asked.counting:
            self._counts = tempfile.NamedTemporaryFile("r")  # noqa: SIM115 - closed by close
        counts = None if self._counts is None else self._counts.name
        command = [*interpreter_command(emulate=emulate, counts=counts), "-m", self.module]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=interpreter_environment(emulate=emulate),
            # A group of its own, so that the model which it runs can be ended with it.
            start_new_session=True,
        )
        answer = receive(self._process.stdout)
        if answer is None:
            self.close()
            how = ending(self._process.returncode)
            raise RuntimeUnavailableError(f"LiteRT cannot be used: its process ended with {how}")
        state, detail = answer
        if state != "ready":
            self.close()
            raise RuntimeUnavailableError(f"LiteRT cannot be used: {detail}", hint=INSTALL)

    def perform(self, task: str, *, timeout: float, **request: Any) -> tuple[str, str, Any]:
        """Does one task: (status, detail, answer)."""
        try:
            send(self._process.stdin, {"task": task, "timeout": timeout, **request})
            answer = receive(self._process.stdout)
        except (BrokenPipeError, EOFError):
            answer = None
        if answer is None:
            self._kill()
            return "crashed", "the worker process ended", None
        status, detail, value = answer
        return status, detail, value

    def counted(self) -> list[str]:
        """What the counter of instructions has written since the last call, line by line."""
        return [] if self._counts is None else self._counts.read().splitlines()

    def close(self) -> None:
        """Ends the process."""
        if self._counts is not None:
            self._counts.close()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()

    def _kill(self) -> None:
        """Ends the process and whatever it runs."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg") and hasattr(signal, "SIGKILL"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            # Whoever is interrupted does not wait for the task that is under way.
            self._kill()
        self.close()


@contextlib.contextmanager
def model_file(model: str | os.PathLike[str] | bytes) -> Iterator[str]:
    """The path of a model; bytes are put into a file for as long as the block lasts."""
    if not isinstance(model, (bytes, bytearray, memoryview)):
        # Links are left alone: that of an open file without a name leads nowhere.
        named = str(Path(model).absolute())
        if named.encode("utf-8", "replace").decode("utf-8") == named:
            yield named
            return
        # LiteRT takes no name that is not UTF-8.
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / "model.tflite"
            link.symlink_to(named)
            yield str(link)
        return
    with scratch() as (file, path):
        file.write(model)
        file.flush()
        yield str(path)
