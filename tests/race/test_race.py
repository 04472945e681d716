"""The race measures each command's own time and memory, in turns, and says what it measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.race.contest import Command, Measured, contest
from benchmarks.race.machine import machine
from benchmarks.race.parts import (
    LEAST,
    OURS,
    PEER,
    Sizes,
    imports_of_sparsify,
    in_process,
    least_work,
)
from benchmarks.race.report import render
from benchmarks.race.results import BEFORE, FLOOR, IMPORTS, LARGE, SMALL, Results
from tests.support.docs.make_testdata import FOLDER
from tests.support.peers.environments import MLIR_SPARSIFY

MIB = 2**20


def command(script: str, output: Path | None = None) -> Command:
    return Command([sys.executable, "-S", "-E", "-c", script], os.environ, output)


def test_memory_is_that_of_the_command_alone() -> None:
    # What this process holds must not count for its children.
    ballast = bytearray(256 * MIB)
    found = contest(
        {
            "little": command("pass"),
            "much": command(f"x = bytearray({64 * MIB}); x[::4096] = x[::4096]"),
        },
        rounds=1,
    )
    assert len(ballast) > found["much"].peak
    assert found["little"].peak < 40 * MIB
    assert found["much"].peak - found["little"].peak > 48 * MIB


def test_commands_take_turns_and_their_output_is_measured(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    say = f"open({str(log)!r}, 'a').write('{{}}')"
    write = f"; open({str(out)!r}, 'x').write('12345')"
    found = contest(
        {"a": command(say.format("a")), "b": command(say.format("b") + write, out)}, rounds=2
    )
    # One round to warm up, which does not count.
    assert log.read_text("ascii") == "ababab"
    assert [len(found[name].seconds) for name in "ab"] == [2, 2]
    assert (found["a"].size, found["b"].size) == (0, 5)


def test_a_command_that_fails_ends_the_race() -> None:
    with pytest.raises(AssertionError, match="bad ended with 3"):
        contest({"bad": command("raise SystemExit(3)")}, rounds=1)


def test_the_script_that_runs_the_peer_is_there() -> None:
    assert MLIR_SPARSIFY.is_file()


def test_each_goal_is_named_with_what_was_reached() -> None:
    ours, peer = (Measured((time,), (time,), MIB, 97) for time in (0.5, 15.0))
    results = Results("a machine", {"x": "1"}, ["1.0", "2.0"], "")
    results.floor = {
        FLOOR: Measured((0.2,), (0.1,), MIB),
        IMPORTS: Measured((0.3,), (0.1,), MIB),
    }
    results.least = {LEAST: Measured((0.25,), (0.2,), MIB)}
    results.sparsify = {SMALL: {OURS: ours, PEER: peer}, LARGE: {OURS: ours, PEER: peer}}
    page = render(results)
    assert f"- {SMALL}: 2.5 times that start (goal: at most 1.8)." in page
    assert "imported and nothing run it is 1.5 times already." in page
    assert f"- {LARGE}: 30.0 times faster (goal: at least 25)." in page
    assert "takes 250 ms (250-250): 60.0 times faster." in page


def test_the_modules_of_sparsify_are_listed_by_a_run_of_it(tmp_path: Path) -> None:
    script = imports_of_sparsify(
        Path(sys.executable), FOLDER / "mobilenet_tiny_80.tflite", tmp_path
    )
    assert script.startswith("import ")
    assert "tflite_sparse.encoding.encode" in script
    assert "tflite_sparse.runtime" not in script


def test_the_least_work_writes_what_is_not_zero(tmp_path: Path) -> None:
    values = np.array([0, 1, 0, 2.5], np.float32)
    model = tmp_path / "values.bin"
    model.write_bytes(values.tobytes())
    measured = least_work(Path(sys.executable), model, tmp_path)[LEAST]
    assert measured.size == 2 * (4 + 2)


def test_the_machine_has_no_name_and_no_path() -> None:
    said = machine()
    assert os.uname().nodename not in said
    assert "/" not in said


def test_ratios_are_those_of_medians() -> None:
    runs = {
        OURS: Measured((0.1, 0.2, 0.9), (0.1, 0.1, 0.1), 10 * MIB, 97),
        BEFORE: Measured((0.4, 0.4, 0.4), (0.4, 0.4, 0.4), 20 * MIB, 97),
        PEER: Measured((1.9, 4.0, 4.1), (2.0, 2.0, 2.0), 100 * MIB, 100),
    }
    results = Results("a machine", {"x": "1"}, ["1.0", "2.0"], "abc1234")
    results.sparsify["net"] = runs
    results.inspect["net"] = {OURS: runs[OURS], "peer": runs[PEER]}
    results.sizes = [Sizes("other", 50, 50, 60)]
    results.libraries = {
        "matrix": "m",
        "codec": {"encode": {OURS: [1.0], "scipy": [3.0]}},
        "files": {"net": {"read": {OURS: [1.0], "object API": [2.0]}}},
    }
    page = render(results)
    assert "| net | 200 ms (100-900) | 4.00 s (1.90-4.10) | 20.0 x | 19.0 x | 20.0 x |" in page
    assert "| net | 10.0 | 100 | 1/10.0 | 97 | 100 | -3.0 % |" in page
    assert "| net | 400 ms (400-400) | 200 ms (100-900) | 0.40 s | 0.10 s | 20.0 | 10.0 |" in page
    assert "goal:" not in page
    assert "| other | 50 | 50 | 60 | +10 |" in page
    assert "| encode | scipy | 1.00 s (1.00-1.00) | 3.00 s (3.00-3.00) | 3.0 x |" in page


@pytest.mark.slow
def test_libraries_read_and_encode_what_the_package_does(tmp_path: Path) -> None:
    measured = in_process({"tiny": FOLDER / "mobilenet_tiny_80.tflite"}, tmp_path)
    assert set(measured["codec"]) == {"encode", "decode"}
    assert set(measured["files"]["mobilenet_tiny_80"]) == {"read", "write"}
