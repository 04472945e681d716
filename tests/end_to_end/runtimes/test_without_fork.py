"""Where no process can be forked, as on Windows, the worker does a task itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.runtime.litert import tasks, worker
from tflite_sparse.runtime.litert.process import Worker

if TYPE_CHECKING:
    import pytest


WORKER = """
import os
from tflite_sparse.runtime.litert import worker

del os.fork
worker.main()
"""


class _Unforked(Worker):
    module = "unforked_worker"


def test_models_run_without_fork(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "unforked_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delattr(os, "fork")
    model = str(Path("testdata/mobilenet_tiny_80_sparse.tflite").resolve())
    request = {"backend": "xnnpack", "signature": None, "threads": 1, "feeds": [{}]}
    with _Unforked() as own:
        for _ in range(2):
            status, detail, trials = own.perform("run", timeout=60, model=model, **request)
            assert (status, detail, len(trials)) == ("ok", "", 1)


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
