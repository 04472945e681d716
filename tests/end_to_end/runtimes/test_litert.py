"""LiteRT in its worker process: what it computes, executes and times, and what it survives."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.docs.make_testdata import FOLDER
from tests.support.emulator import needs_emulator
from tests.support.litert import invoke
from tests.support.measured import measured
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.failing import aborting, endless, refused, unknown
from tflite_sparse.errors import RuntimeUnavailableError
from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert import process
from tflite_sparse.runtime.litert.driver import (
    litert_version,
    profile,
    profile_many,
    run,
    time_models,
)
from tflite_sparse.runtime.litert.process import Worker
from tflite_sparse.runtime.litert.worker import send

if TYPE_CHECKING:
    from pathlib import Path

DENSE = FOLDER / "mobilenet_tiny_80.tflite"
SPARSE = FOLDER / "mobilenet_tiny_80_sparse.tflite"
# Seconds after which a machine hangs, however loaded it is.
PATIENCE = 600
PLAIN = {"backend": "xnnpack", "threads": 1, "signature": None}


@pytest.fixture(autouse=True)
def own_workers(monkeypatch):
    """Workers that start and end with each call, as they do for users."""
    monkeypatch.setattr("tflite_sparse.runtime.litert.driver.Worker", Worker)


def _feeds(model: str | Path | bytes, trials: int = 1):
    return random_inputs(input_specs(Model.read(model)), trials)


@pytest.mark.parametrize("backend", ["xnnpack", "builtin", "reference"])
def test_the_numbers_are_those_of_litert(backend):
    feeds = _feeds(DENSE, 2)
    found = run(DENSE, feeds, backend=backend)
    assert found.ok
    for feed, outputs in zip(feeds, found.trials, strict=True):
        wanted = invoke(DENSE.read_bytes(), {"image": feed["0"]}, xnnpack=backend == "xnnpack")
        (name,) = wanted
        if backend == "reference":
            assert np.allclose(outputs[name], wanted[name], atol=1e-6)
        else:
            assert np.array_equal(outputs[name], wanted[name])


def test_a_model_may_be_bytes_or_a_path():
    (feed,) = _feeds(DENSE)
    a, b = run(DENSE, [feed]), run(DENSE.read_bytes(), [feed])
    assert (
        np.array_equal(a.trials[0]["probabilities"], b.trials[0]["probabilities"])
        if ("probabilities" in a.trials[0])
        else all(np.array_equal(a.trials[0][key], b.trials[0][key]) for key in a.trials[0])
    )


def test_inputs_of_another_size_resize_the_model():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 4, 4, 3), name="x", signature=(-1, 4, 4, 3))
    g.output(g.conv2d(x, 2, kernel=3))
    values = np.random.default_rng(0).uniform(-1, 1, (3, 4, 4, 3)).astype(np.float32)
    data = builder.build()
    (whole,) = run(data, [{"x": values}]).trials
    singly = run(data, [{"x": values[i : i + 1]} for i in range(3)]).trials
    (name,) = whole
    assert whole[name].shape == (3, 4, 4, 2)
    assert np.allclose(whole[name], np.concatenate([one[name] for one in singly]), atol=1e-6)


def test_outputs_of_the_same_name_are_told_apart():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 4))
    g.output(*(g.op("ABS", [x], [((1, 4), "FLOAT32")], names=["same"])[0] for _ in range(2)))
    (outputs,) = run(builder.build(), [{"0": np.full((1, 4), -1, np.float32)}]).trials
    assert list(outputs) == ["same", "same#1"]


@needs_emulator
def test_emulation_runs_sparse_kernels_and_this_machine_what_it_runs():
    native, emulated = profile(SPARSE, runs=2), profile(SPARSE, runs=2, emulate=True)
    assert native.ok
    assert emulated.ok
    assert sum(operator.sparse for operator in emulated.operators) == 5
    assert emulated.emulated
    assert not native.emulated
    assert emulated.runs == native.runs == 2
    assert all(operator.microseconds >= 0 for operator in native.operators)


@needs_emulator
def test_emulated_numbers_are_those_of_the_dense_twin():
    feeds = _feeds(DENSE)
    dense, sparse = run(DENSE, feeds), run(SPARSE, feeds, emulate=True)
    # The twins number their tensors otherwise, so that outputs have other names.
    outputs = zip(sparse.trials[0].values(), dense.trials[0].values(), strict=True)
    assert all(np.allclose(found, wanted, atol=1e-6) for found, wanted in outputs)


def test_operators_outside_xnnpack_end_a_partition():
    builder = ModelBuilder()
    g = builder.graph()
    x = g.conv2d(g.input((1, 8, 8, 3)), 4)
    x = g.reverse(x, [1])  # XNNPACK has no such operator
    g.output(g.conv2d(x, 4))
    operators = profile(builder.build()).operators
    outside = [operator for operator in operators if not operator.delegated]
    assert [operator.index for operator in outside] == [1]
    assert {operator.partition for operator in operators} == {0, None, 1}


@needs_emulator
def test_a_model_that_aborts_the_runtime_is_a_result():
    crashed, last = profile_many([aborting(), SPARSE], emulate=True)
    assert crashed.status == "crashed"
    assert crashed.detail.startswith("SIGSEGV")
    assert last.ok, "the one after it must not be touched"


def test_the_same_model_runs_where_the_sparse_path_is_off():
    found = run(aborting(), _feeds(aborting()), backend="reference")
    assert found.ok


@pytest.mark.parametrize("task", ["run", "profile"])
def test_a_model_that_does_not_end_is_given_up_in_time(task):
    # It would count for hours; that there is an answer at all is the proof.
    data = endless()
    if task == "run":
        found = run(data, [{"start": np.zeros(1, np.int32)}], timeout=1)
    else:
        found = profile(data, timeout=1)
    assert found.status == "timed-out"
    assert found.detail == "not done after 1 s"


def test_the_loop_does_end_where_it_starts_late():
    limit = 2**31 - 1
    found = run(endless(), [{"start": np.array([limit - 100], np.int32)}])
    assert found.ok
    assert [int(values[0]) for values in found.trials[0].values()] == [limit]


def test_the_model_after_one_that_hangs_or_fails_runs(tmp_path):
    path = tmp_path / "model.tflite"
    statuses = []
    with Worker() as worker:
        for data, timeout in (
            (endless(), 1),
            (refused(), PATIENCE),
            (DENSE.read_bytes(), PATIENCE),
        ):
            path.write_bytes(data)
            request = {"model": str(path), "feeds": _feeds(data), **PLAIN}
            statuses.append(worker.perform("run", timeout=timeout, **request)[0])
    assert statuses == ["timed-out", "load-failure", "ok"]


def test_a_model_that_xnnpack_refuses_says_why_and_runs_without_it():
    feeds = _feeds(refused())
    found = run(refused(), feeds)
    assert found.status == "load-failure"
    assert "failed to delegate CONV_2D" in found.detail
    assert "\n" not in found.detail
    assert run(refused(), feeds, backend="reference").ok
    assert profile(refused()).status == "load-failure"


def test_an_operator_that_nobody_has_is_a_load_failure():
    found = run(unknown(), _feeds(unknown()))
    assert found.status == "load-failure"
    assert "NobodyHasThisOperator" in found.detail


def test_inputs_that_do_not_fit_are_a_failure_of_the_run():
    found = run(DENSE, [{"0": np.zeros((1, 64, 64, 3), np.int8)}])
    assert found.status == "run-failure"


def _group_is_gone(group: int) -> bool:
    for _ in range(20 * PATIENCE):
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return True
        time.sleep(0.05)
    return False


def _killed_with_its_model(worker: Worker, path: Path) -> tuple[str, str]:
    killer = threading.Timer(0.7, os.kill, (worker._process.pid, signal.SIGKILL))
    killer.start()
    request = {"model": str(path), "feeds": [{"start": np.zeros(1, np.int32)}], **PLAIN}
    status, detail, _ = worker.perform("run", timeout=PATIENCE, **request)
    killer.join()
    return status, detail


def test_a_worker_that_is_killed_is_a_result_and_takes_its_model_along(tmp_path):
    path = tmp_path / "endless.tflite"
    path.write_bytes(endless())
    with Worker() as worker:
        assert _killed_with_its_model(worker, path) == ("crashed", "the worker process ended")
        assert worker.perform("run", timeout=PATIENCE)[0] == "crashed"
    assert _group_is_gone(worker._process.pid)


def test_a_worker_that_dies_at_the_start_is_told_by_its_signal(
    monkeypatch,
):
    command = ["sh", "-c", "kill -ILL $$"]
    monkeypatch.setattr(process, "interpreter_command", lambda **_: command)
    with pytest.raises(RuntimeUnavailableError, match="its process ended with SIGILL") as caught:
        Worker()
    assert caught.value.hint is None


def test_whoever_interrupts_does_not_leave_a_model_running(tmp_path, monkeypatch):
    path = tmp_path / "endless.tflite"
    path.write_bytes(endless())
    request = {"task": "run", "timeout": PATIENCE, "model": str(path), "feeds": [{}], **PLAIN}
    worker = Worker()
    send(worker._process.stdin, request)
    time.sleep(0.5)
    waits = []
    wait = worker._process.wait
    monkeypatch.setattr(
        worker._process, "wait", lambda timeout=None: waits.append(timeout) or wait(PATIENCE)
    )
    worker.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    # Waited for once: it was ended before, and did not have to be ended for taking too long.
    assert len(waits) == 1
    assert _group_is_gone(worker._process.pid)


def test_models_are_timed_in_turn():
    models = [str(DENSE), str(SPARSE)]
    feeds = [_feeds(DENSE)[0], _feeds(SPARSE)[0]]
    found = time_models(models, feeds, runs=7, warmup=1)
    assert [timing.model for timing in found] == models
    for timing in found:
        assert timing.ok
        assert len(timing.milliseconds) == 7
        assert all(value > 0 for value in timing.milliseconds)


def test_a_longer_net_takes_longer():
    def net(layers: int) -> bytes:
        builder = ModelBuilder()
        g = builder.graph()
        x = g.input((1, 48, 48, 16))
        for _ in range(layers):
            x = g.conv2d(x, 16, kernel=3)
        g.output(x)
        return builder.build()

    short, long = net(1), net(12)
    feeds = [_feeds(short)[0], _feeds(long)[0]]

    def ratio() -> float:
        a, b = time_models([short, long], feeds, runs=9, warmup=2)
        return min(b.milliseconds) / min(a.milliseconds)

    measured(ratio, above=2)


def test_timing_one_that_does_not_end_gives_all_up():
    feeds = [_feeds(DENSE)[0], {"start": np.zeros(1, np.int32)}]
    found = time_models([str(DENSE), endless()], feeds, runs=1, timeout=1)
    assert [timing.status for timing in found] == ["timed-out"] * 2


def test_timing_reports_what_is_refused_beside_the_rest():
    feeds = [_feeds(DENSE)[0], _feeds(refused())[0]]
    found = time_models([str(DENSE), refused()], feeds, runs=2)
    assert [timing.status for timing in found] == ["ok", "load-failure"]


def test_without_litert_the_error_says_how_to_install_it(monkeypatch, tmp_path):
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('not here')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    # The worker's own package comes first on its path, then this one's.
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'tflite-sparse\[litert\]'"):
        run(DENSE, [])


def test_the_version_is_the_installed_one():
    assert litert_version() == "2.3.0"
