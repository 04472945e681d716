"""A progress bar on stderr, for people only and only when the work is long."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["progress_bar"]

_PATIENCE = 0.5
_WIDTH = 30
_CLEAR = "\r\x1b[K"


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
def progress_bar(title: str) -> Iterator[Update]:
    """Shows a bar while the block runs, if stderr is a terminal and half a second has passed.

    Args:
        title: what is being worked on.

    Yields:
        A function that is told how much is done, how much there is to do, and what it is.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total, _title=None: None
        return
    started = time.monotonic()
    shown = False

    def update(done: int, total: int, now: str | None = None) -> None:
        nonlocal shown
        if total <= 0 or time.monotonic() - started < _PATIENCE:
            return
        filled = _WIDTH * done // total
        bar = "#" * filled + "." * (_WIDTH - filled)
        sys.stderr.write(f"{_CLEAR}{bar} {100 * done // total:3d} % {(now or title)[-40:]}")
        sys.stderr.flush()
        shown = True

    try:
        yield update
    finally:
        if shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
