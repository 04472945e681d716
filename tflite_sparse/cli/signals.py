"""What becomes of a signal: a clean end of the command, wherever it is."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["exit_code", "leave_at_once", "stoppable"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
_FIRST_CODE = 128


def exit_code(number: int) -> int:
    """The exit code that a shell gives for a signal."""
    return _FIRST_CODE + number


def leave_at_once() -> None:
    """From here on a signal ends the process without a word: nothing is under way."""
    _handle(lambda number, _: os._exit(_FIRST_CODE + number))


@contextlib.contextmanager
def stoppable() -> Iterator[list[int]]:
    """Within the block a signal raises `KeyboardInterrupt`, so that everything is cleaned up.

    One that the program was started to ignore, as by nohup, stays ignored.

    Yields:
        The signals that have come.
    """
    come: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        come.append(number)
        raise KeyboardInterrupt

    before = _handle(stop)
    try:
        yield come
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle(handler: signal._HANDLER) -> dict[signal.Signals, signal._HANDLER]:
    before = {}
    # Only the main thread may set handlers.
    with contextlib.suppress(ValueError):
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    return before
