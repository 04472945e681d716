"""-q and -v, which every command has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import call
from tflite_sparse.cli.registry import COMMANDS

MODEL = Path(__file__).parents[3] / "testdata" / "mobilenet_tiny_80_same.tflite"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_of_both_in_its_help(name):
    out = call(name, "-h").out
    assert "-q, --quiet" in out
    assert "-v, --verbose" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", MODEL),
        ("optimize", MODEL, "-o", "fast.tflite", "--no-verify"),
        ("report", MODEL, "-o", "page.html"),
        ("diff", MODEL, MODEL),
        ("prune", MODEL, "-n", "--zeros", "0.9"),
        ("overlay", MODEL, "-o", "overlay.json"),
        ("lint", MODEL, "--isolated"),
        ("targets",),
        ("rules",),
        ("rule", "TFS301"),
    ],
)
def test_quiet_says_nothing_and_answers_the_same(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loud = call(*arguments)
    for path in tmp_path.iterdir():
        path.unlink()
    quiet = call(*arguments, "-q")
    assert loud.out
    assert (quiet.out, quiet.err, quiet.code) == ("", loud.err, loud.code)


def test_what_programs_read_is_written_all_the_same():
    assert call("inspect", MODEL, "-q", "--json").document("inspect")["models"]
    assert "TFS" in call("lint", MODEL, "-q", "--isolated", "--format", "github").out


def test_errors_are_told_even_so():
    done = call("inspect", "no-such-file.tflite", "-q")
    assert done.code == 2
    assert "no-such-file.tflite" in done.err


def test_verbose_tells_each_step_and_its_time_on_stderr(tmp_path):
    done = call("optimize", MODEL, "-o", tmp_path / "fast.tflite", "-v", "--no-verify")
    steps = [line.split(" s  ", 1) for line in done.err.splitlines()]
    assert all(float(seconds) >= 0 for seconds, _ in steps)
    words = [title for _, title in steps]
    assert words == [f"planning {MODEL}", f"optimize {MODEL}", "writing", "measuring sizes"]
    assert call("inspect", MODEL).err == ""
