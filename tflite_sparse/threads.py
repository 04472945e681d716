"""Work that goes on beside the main thread: numpy, zlib and the disk let other threads run.

`concurrent.futures` is imported by whoever has enough to do: a small model is done before.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

__all__ = ["in_background", "in_two"]

S = TypeVar("S")
T = TypeVar("T")

# Numbers an item from which numpy works long enough without the interpreter.
_LONG = 2**17


def in_background(call: Callable[[], T]) -> Future[T]:
    """Begins a call in a thread that does not keep the process from ending, as those of a pool do.

    Args:
        call: what to do.

    Returns:
        What gives its result, or raises its error, to whoever asks.
    """
    from concurrent.futures import Future

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            future.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:
        # Not every system has threads, or another one to give.
        run()
    return future


def in_two(function: Callable[[S], T], items: Sequence[S], numbers: int) -> list[T]:
    """Applies a function to items, in order, by two threads where that is worth while.

    Args:
        function: what to do with each.
        items: the items.
        numbers: how many numbers numpy has to look at for all of them.
    """
    if numbers < _LONG * len(items):
        return [function(item) for item in items]
    other = in_background(lambda: [function(item) for item in items[1::2]])
    results = [function(item) for item in items[::2]]
    for number, result in enumerate(other.result()):
        results.insert(2 * number + 1, result)
    return results
