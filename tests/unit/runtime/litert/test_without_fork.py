"""Where no process can be forked, as on Windows, the worker does a task itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tflite_sparse.runtime.litert import tasks, worker

if TYPE_CHECKING:
    import pytest


def test_a_task_is_done_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(tasks, "perform", lambda request: ("ok", "", request["task"]))
    assert worker._perform({"task": "load", "timeout": 5}, ()) == ("ok", "", "load")


def test_a_task_that_hangs_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def hang(_: object) -> tuple[str, str, None]:
        while not ended:
            pass
        return "ok", "", None

    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(tasks, "perform", hang)
    worker._perform({"task": "load", "timeout": 0.05}, ())
    assert ended == [1]
