"""Work that goes on beside the main thread: numpy, zlib and the disk let other threads run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Background", "in_two"]

S = TypeVar("S")
T = TypeVar("T")

# Numbers an item from which numpy works long enough without the interpreter.
_LONG = 2**17


class Background(Generic[T]):
    """A call in a thread of its own, which does not keep the process from ending.

    Unlike `concurrent.futures`, it costs a small model nothing to import.

    Args:
        call: what to do.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._run, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # Not every system has threads, or another one to give.
            self._thread = None
            self._run()

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._error = error

    def result(self) -> T:
        """Waits for what the call returns, or raises what it raised."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


def in_two(function: Callable[[S], T], items: Sequence[S], numbers: int) -> list[T]:
    """Applies a function to items, in order, by two threads where that is worth while.

    Args:
        function: what to do with each.
        items: the items.
        numbers: how many numbers numpy has to look at for all of them.
    """
    if numbers < _LONG * len(items):
        return [function(item) for item in items]
    other = Background(lambda: [function(item) for item in items[1::2]])
    results = [function(item) for item in items[::2]]
    for number, result in enumerate(other.result()):
        results.insert(2 * number + 1, result)
    return results
