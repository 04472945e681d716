"""Worker processes of LiteRT that tests share: a start costs a second, and ten under emulation.

A worker forks for every model that it runs, so that what one does to its process does not reach the
next: tests may share workers as the models of one call do. `test_litert` has workers of its own.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from tflite_sparse.runtime.litert import driver
from tflite_sparse.runtime.litert.process import Worker
from tflite_sparse.runtime.litert.processor import interpreter_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.runtime.litert.processor import Emulation

__all__ = ["shared_workers"]

# Pytest names the test that runs in one, and a worker prints nothing of any width.
_CHANGING = {"PYTEST_CURRENT_TEST", "COLUMNS"}


class _WarmWorker(Worker):
    module = "tests.support.warm_worker"


class _Pool:
    def __init__(self) -> None:
        self._environment = _environment()
        self._idle: list[Worker] = []

    @contextlib.contextmanager
    def worker(self, *, emulate: bool | Emulation = False) -> Iterator[Worker]:
        """A worker as `Worker` makes one, for as long as the block lasts."""
        if _environment() != self._environment:
            # What the test has changed would not reach a worker that runs already.
            with Worker(emulate=emulate) as own:
                yield own
            return
        worker = self._take(emulate) or _WarmWorker(emulate=emulate)
        try:
            yield worker
        except GeneratorExit:
            # Whoever wanted some results only: nothing is under way.
            self._put_back(worker)
            raise
        except BaseException as error:
            worker.__exit__(type(error), error, error.__traceback__)
            raise
        self._put_back(worker)

    def _take(self, emulate: bool | Emulation) -> Worker | None:
        worker = next((idle for idle in self._idle if idle.emulate == emulate), None)
        if worker is not None:
            self._idle.remove(worker)
        return worker

    def _put_back(self, worker: Worker) -> None:
        if worker._process.poll() is None:
            self._idle.append(worker)
        else:
            worker.close()

    def close(self) -> None:
        for worker in self._idle:
            worker.close()
        self._idle.clear()


def _environment() -> dict[str, str]:
    names = interpreter_environment()
    return {name: value for name, value in names.items() if name not in _CHANGING}


@contextlib.contextmanager
def shared_workers() -> Iterator[None]:
    """Lets the driver take workers that wait for work, for as long as the block lasts."""
    pool, process = _Pool(), os.getpid()
    driver.Worker = pool.worker
    try:
        yield
    finally:
        driver.Worker = Worker
        if os.getpid() == process:
            pool.close()
