"""Several processes at once, and interrupts in the middle of them: clean ends, no orphans."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.support.real_models import real_model

DATA = Path(__file__).parents[2] / "testdata"
DENSE = DATA / "mobilenet_tiny_80.tflite"
SPARSE = DATA / "mobilenet_tiny_80_sparse.tflite"
MARK = "TFLITE_SPARSE_TEST"
PATIENCE = 600.0


def marked(mark: str) -> set[int]:
    """The processes that were started with a mark, or by one that was."""
    found = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.add(int(process.name))
        except OSError:
            continue
    return found


def until(condition, what: str) -> None:
    """Waits for a condition; the limit is there for a machine that hangs."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def reset() -> None:
    # A shell's background jobs ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Running:
    """A command under way in a session of its own."""

    def __init__(self, *arguments: object, cwd: Path | None = None) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tflite_sparse", *map(str, arguments)],
            env={**os.environ, MARK: self.mark},
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=reset,  # noqa: PLW1509 - no threads here
        )

    def wait_for_others(self, count: int) -> None:
        until(
            lambda: len(marked(self.mark)) > count or self.process.poll() is not None,
            "no processes of its own",
        )
        assert self.process.poll() is None, "it was over too soon"

    def end(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=PATIENCE)
        until(lambda: not marked(self.mark), f"left over: {marked(self.mark)}")
        return self.process.returncode, said


@pytest.fixture
def many(tmp_path):
    """Models that take several seconds to lint."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        shutil.copy(real_model("face_detection_full_range_sparse"), folder / f"{number}.tflite")
    return folder


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_lint_with_many_jobs_ends_at_once_and_takes_them_along(many, name):
    run = Running("lint", many, "-j", "4", "--output-file", "report", cwd=many.parent)
    run.wait_for_others(4)
    # As from a terminal, the whole group hears it.
    os.killpg(run.process.pid, getattr(signal, name))
    code, said = run.end()
    assert said.strip() == "tflite-sparse: interrupted"
    assert code == 128 + getattr(signal, name)
    assert [path.name for path in many.parent.iterdir()] == ["many"]


def test_no_job_of_lint_outlives_a_kill(many):
    run = Running("lint", many, "-j", "3")
    run.wait_for_others(3)
    run.process.kill()
    assert run.end()[0] == -signal.SIGKILL


def test_a_job_that_is_killed_is_one_line(many):
    run = Running("lint", many, "-j", "2")
    run.wait_for_others(2)
    os.kill(max(marked(run.mark) - {run.process.pid}), signal.SIGKILL)
    code, said = run.end()
    assert code == 2
    assert said.startswith("tflite-sparse: error: a process that linted was killed")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("verify", DENSE, SPARSE, "--trials", "20000"),
        ("profile", DENSE, "--runs", "1000000"),
        ("bench", DENSE, SPARSE, "--runs", "1000000"),
        ("sparsify", DENSE, "-o", "out", "--verify"),
    ],
    ids=lambda command: command[0],
)
def test_an_interrupted_runtime_is_ended_with_the_command(command, tmp_path):
    run = Running(*command, cwd=tmp_path)
    # The worker, or the process that it has forked for the model.
    run.wait_for_others(1)
    os.kill(run.process.pid, signal.SIGINT)
    code, said = run.end()
    assert said.strip() == "tflite-sparse: interrupted"
    assert code == 130
    assert list(tmp_path.iterdir()) == []


def test_two_commands_on_one_file_leave_the_result_of_one(tmp_path):
    alone = []
    for number, arguments in enumerate((("sparsify", DENSE), ("densify", SPARSE))):
        run = Running(*arguments, "-o", tmp_path / f"alone{number}")
        assert run.end()[0] == 0
        alone.append((tmp_path / f"alone{number}").read_bytes())
    target = tmp_path / "target"
    runs = [
        Running(*arguments, "--force", "-o", target)
        for arguments in (("sparsify", DENSE), ("densify", SPARSE)) * 3
    ]
    for run in runs:
        code, said = run.end()
        assert (code, said) == (0, "")
    assert target.read_bytes() in alone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone0", "alone1", "target"]


def test_of_several_commands_that_may_not_overwrite_one_writes_the_file(tmp_path):
    target = tmp_path / "target"
    runs = [Running("sparsify", DENSE, "-o", target) for _ in range(6)]
    ends = [run.end() for run in runs]
    assert sorted(code for code, _ in ends) == [0, *[2] * 5]
    for code, said in ends:
        wanted = "" if code == 0 else "tflite-sparse: error: "
        assert said.startswith(wanted)
        assert said.count("\n") == bool(code)
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert Running("verify", DENSE, target, "--weights-only").end() == (0, "")


def test_two_commands_in_place_on_one_file_end_with_a_whole_one(tmp_path):
    target = tmp_path / "model.tflite"
    shutil.copy(DENSE, target)
    runs = [Running(kind, target, "--in-place") for kind in ("sparsify", "densify") * 2]
    assert [run.end() for run in runs] == [(0, "")] * 4
    assert Running("verify", DENSE, target, "--weights-only").end() == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]
