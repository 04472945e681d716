"""Processes that lint side by side, and none of which outlives the run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from tflite_sparse.errors import RuntimeFailureError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["worker_pool"]

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, which are ended with the block even in the middle of their work.

    Args:
        workers: how many.

    Raises:
        RuntimeFailureError: one of them has died.
    """
    pool = ProcessPoolExecutor(max_workers=workers, initializer=_begin)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise RuntimeFailureError(
            "a process that linted was killed, most likely for want of memory",
            hint="lint one file at a time with --jobs 1",
        ) from error
    except BaseException:
        # Nobody waits for what is under way.
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - public from 3.14 on
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Prepares a worker: the parent alone hears an interrupt, and takes its workers along."""
    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(
                getattr(signal, name), signal.SIG_IGN if name == "SIGINT" else signal.SIG_DFL
            )
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
