"""Work in the background gives what it gives in the foreground."""

from __future__ import annotations

import threading

import pytest

from tflite_sparse._background import Background


def test_the_result_comes_from_another_thread_that_keeps_nobody_waiting() -> None:
    work = Background(threading.current_thread)
    thread = work.result()
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert work.result() is thread


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_reaches_whoever_waits(error: BaseException) -> None:
    def fail() -> None:
        raise error

    work = Background(fail)
    with pytest.raises(type(error)):
        work.result()


def test_without_threads_it_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    done: list[int] = []
    work = Background(lambda: done.append(1))
    assert done == [1]
    assert work.result() is None
