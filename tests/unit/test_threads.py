"""Work in the background gives what it gives in the foreground."""

from __future__ import annotations

import threading

import pytest

from tflite_sparse.threads import in_background, in_two


def test_the_result_comes_from_another_thread_that_keeps_nobody_waiting() -> None:
    work = in_background(threading.current_thread)
    thread = work.result()
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert work.result() is thread


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_reaches_whoever_waits(error: BaseException) -> None:
    def fail() -> None:
        raise error

    work = in_background(fail)
    with pytest.raises(type(error)):
        work.result()


def test_without_threads_it_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    done: list[int] = []
    work = in_background(lambda: done.append(1))
    assert done == [1]
    assert work.result() is None


@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("numbers", [0, 10**9])
def test_two_threads_give_the_results_in_order(count: int, numbers: int) -> None:
    threads = set()

    def work(item: int) -> int:
        threads.add(threading.current_thread())
        return -item

    assert in_two(work, list(range(count)), numbers) == [-item for item in range(count)]
    assert len(threads) == min(count, 2 if numbers else 1)


@pytest.mark.parametrize("bad", [0, 1, 4])
def test_an_error_of_either_thread_ends_the_work(bad: int) -> None:
    def work(item: int) -> int:
        if item == bad:
            raise ValueError(str(item))
        return item

    with pytest.raises(ValueError, match=str(bad)):
        in_two(work, range(5), 10**9)
