"""Devices, pipes and closed streams: one line on stderr, and nothing but whole models."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "testdata"
DENSE = DATA / "mobilenet_tiny_80.tflite"
SPARSE = DATA / "mobilenet_tiny_80_sparse.tflite"
SHELL = '"$0" -m tflite_sparse '
PRINTING = {
    "inspect": f"inspect {DENSE}",
    "inspect --json": f"inspect {DENSE} --json",
    "sparsify to stdout": f"sparsify {DENSE} -o -",
    "densify with nothing to do": f"densify {DENSE} -o -",
    "lint": f"lint {DENSE}",
    "diff": f"diff {DENSE} {SPARSE}",
    "rules": "rules",
    "help": "-h",
}


def shell(line: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", SHELL + line, sys.executable]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", PRINTING)
@pytest.mark.parametrize(
    ("where", "reason"),
    [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")],
    ids=["full device", "closed"],
)
def test_output_that_cannot_be_written_is_one_line(command, where, reason):
    done = shell(f"{PRINTING[command]} {where}")
    assert done.stderr == f"tflite-sparse: error: {reason}\n"
    assert done.returncode == 2


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_errors_that_cannot_be_told_leave_their_code(where):
    assert shell(f"inspect /missing {where}").returncode == 2


@pytest.mark.parametrize("command", ["sparsify to stdout", "densify with nothing to do"])
def test_a_reader_of_the_model_that_goes_away_is_no_error(command):
    done = shell(f'{PRINTING[command]} | head -c 10 >/dev/null; exit "${{PIPESTATUS[0]}}"')
    assert "error" not in done.stderr
    assert done.returncode in {0, 141}


def test_a_reader_that_goes_away_between_two_models_is_no_failed_check():
    models = f"{DENSE} {SPARSE} " * 20
    done = shell(f'inspect {models} | head -c 10 >/dev/null; exit "${{PIPESTATUS[0]}}"')
    assert (done.returncode, done.stderr) == (141, "")


def test_a_pipe_that_is_full_for_a_while_gets_the_whole_model(tmp_path):
    shell(f"sparsify {DENSE} -o {tmp_path}/file")
    done = shell(f"sparsify {DENSE} -o - | (sleep 1; cat >{tmp_path}/piped)")
    assert done.returncode == 0
    assert (tmp_path / "piped").read_bytes() == (tmp_path / "file").read_bytes()


def test_a_named_pipe_gets_the_whole_model(tmp_path):
    shell(f"sparsify {DENSE} -o {tmp_path}/file")
    os.mkfifo(tmp_path / "fifo")
    done = shell(
        f"sparsify {DENSE} -f -o {tmp_path}/fifo & cat {tmp_path}/fifo >{tmp_path}/got; wait"
    )
    assert "error" not in done.stderr
    assert (tmp_path / "got").read_bytes() == (tmp_path / "file").read_bytes()
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


@pytest.mark.parametrize("command", [f"sparsify {DENSE}", f"densify {SPARSE}"])
def test_a_full_device_is_one_line_and_an_empty_one_takes_all(command):
    done = shell(f"{command} -f -o /dev/full")
    assert done.stderr.startswith(
        "tflite-sparse: error: /dev/full: cannot write the file: no space"
    )
    assert done.stderr.count("\n") == 1
    assert done.returncode == 2
    assert shell(f"{command} -f -o /dev/null").returncode == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_ignored_signal_stays_ignored():
    line = f'trap "" INT; "$0" -m tflite_sparse inspect {DENSE} & kill -INT $!; wait $!'
    done = subprocess.run(["bash", "-c", line, sys.executable], capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_during_imports_prints_nothing(name):
    number = getattr(signal, name)
    code = (
        "import os, signal, sys\n"
        # A shell's background jobs ignore interrupts.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        # So do those of nohup with hang-ups.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "from tflite_sparse.cli import signals\n"
        "class Finder:\n"
        "    def find_spec(self, module, *_):\n"
        f"        if module == 'typer': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from tflite_sparse.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 128 + number
    assert done.stderr == b""
