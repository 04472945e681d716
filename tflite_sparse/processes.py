"""Processes that work side by side, and none of which outlives the run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from tflite_sparse.errors import RuntimeFailureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["mapping"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_MOST = 61
"""Windows waits for no more processes at once."""
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


@contextlib.contextmanager
def mapping(
    workers: int, doing: str, *, fresh: bool = False
) -> Iterator[Callable[..., Iterator[Any]]]:
    """Processes that do work, and are ended with the block even in the middle of it.

    Args:
        workers: how many; fewer where the system has a limit.
        doing: what each of them does, as an error says it: "linted".
        fresh: whether they start as new interpreters on every system: a program that has threads
            must not be copied.

    Yields:
        A function like `map`, to be called once: the results are in the order of the work.

    Raises:
        RuntimeFailureError: one of them has died.
    """
    context = multiprocessing.get_context("spawn") if fresh else None
    workers = min(workers, _MOST) if sys.platform == "win32" else workers
    pool = ProcessPoolExecutor(max_workers=workers, mp_context=context, initializer=_begin)

    def start(function: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        # The processes begin here, and hear of a signal only once they know what to do about it.
        with _deferred():
            return pool.map(function, *columns)

    try:
        yield start
    except BrokenProcessPool as error:
        raise RuntimeFailureError(
            f"a process that {doing} was killed, most likely for want of memory",
            hint="--jobs 1 needs less of it; a script of your own has to call this under"
            " if __name__ == '__main__'",
        ) from error
    except BaseException:
        # Nobody waits for what is under way.
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - public from 3.14 on
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _deferred() -> Iterator[None]:
    if sys.platform == "win32" or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Prepares a worker: the parent alone hears a signal, and takes its workers along."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32" and hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
