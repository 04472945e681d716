"""What is told while work goes on, on stderr: a bar to people who wait, and with -v each step."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from tflite_sparse.cli.usage.verbosity import is_quiet, is_verbose

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["log_step", "progress_bar"]

_PATIENCE = 0.5
_TICK = 0.5
_WIDTH = 30
_CLEAR = "\r\x1b[K"
_TITLE = 40
_PAUSE = 30.0
# The innermost work is shown.
_LINES: list[_Line] = []


class Update(Protocol):
    """What is told how far some work is."""

    def __call__(self, done: int, total: int, title: str | None = None, /) -> None:
        """Shows it.

        Args:
            done: how much is done.
            total: how much there is to do.
            title: what is being worked on by now; None for what it was at first.
        """


@contextmanager
def progress_bar(title: str, *, ticks: bool = True) -> Iterator[Update]:
    """Shows a bar while the block runs, if stderr is a terminal and half a second has passed.

    Where nothing says how much is done, it shows the seconds. With -v a line is left of the block,
    and where stderr is a file or a pipe, another one each half minute.

    Args:
        title: what is being worked on.
        ticks: whether the seconds are shown, by a thread; not where processes are forked meanwhile.

    Yields:
        A function that is told how much is done, how much there is to do, and what it is.
    """
    started = time.monotonic()
    try:
        if not is_quiet() and is_verbose() and not sys.stderr.isatty():
            yield _Log(title, started).update
            return
        if is_quiet() or not sys.stderr.isatty():
            yield lambda _done, _total, _title=None: None
            return
        line = _Line(title, started)
        ended = threading.Event()
        ticker = threading.Thread(target=line.tick, args=(ended,), daemon=True) if ticks else None
        _LINES.append(line)
        try:
            if ticker is not None:
                ticker.start()
            yield line.update
        finally:
            ended.set()
            if ticker is not None:
                ticker.join()
            line.clear()
            _LINES.remove(line)
    finally:
        if is_verbose():
            log_step(started, title)


def log_step(started: float, words: str) -> None:
    """Writes a line of what -v tells, with the seconds.

    Args:
        started: when the work began, on the monotonic clock.
        words: what is done.
    """
    sys.stderr.write(f"{time.monotonic() - started:8.2f} s  {words}\n")
    sys.stderr.flush()


class _Log:
    """Lines in a file, such as the log of a training that takes a night.

    Args:
        title: what is being worked on.
        started: when that began.
    """

    def __init__(self, title: str, started: float) -> None:
        self._title, self._started, self._told = title, started, started

    def update(self, done: int, total: int, title: str | None = None) -> None:
        """Writes how much is done, where nothing was written for long."""
        now = time.monotonic()
        if total > 0 and now - self._told >= _PAUSE:
            self._told = now
            log_step(self._started, f"{100 * done // total:3d} % {title or self._title}")


class _Line:
    """The last line of the terminal.

    Args:
        title: what is being worked on.
        started: when that began.
    """

    def __init__(self, title: str, started: float) -> None:
        self._title, self._started = title, started
        self._now = title
        self._part: tuple[int, int] | None = None
        self._shown = False
        self._lock = threading.Lock()

    def update(self, done: int, total: int, title: str | None = None) -> None:
        """Shows how much is done."""
        if total <= 0:
            return
        self._now = title or self._title
        self._part = done, total
        self._draw()

    def tick(self, ended: threading.Event) -> None:
        """Shows the seconds until the work has ended, or says itself how much is done."""
        while not ended.wait(_TICK) and self._part is None:
            self._draw()

    def clear(self) -> None:
        """Leaves nothing behind."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def _draw(self) -> None:
        seconds = time.monotonic() - self._started
        if seconds < _PATIENCE or _LINES[-1:] != [self]:
            return
        title = self._now[-_TITLE:]
        if self._part is None:
            text = f"{seconds:3.0f} s {title}"
        else:
            done, total = self._part
            filled = _WIDTH * done // total
            text = f"{'#' * filled}{'.' * (_WIDTH - filled)} {100 * done // total:3d} % {title}"
        with self._lock:
            sys.stderr.write(f"{_CLEAR}{text}")
            sys.stderr.flush()
            self._shown = True
