"""A fixed number of cases of the fuzz suite; `python -m tests.fuzz` runs them without end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.case import NAMES

ROOT = Path(__file__).parents[2]
CASES = {
    "read": 150,
    "inspect": 120,
    "sparsify": 120,
    "densify": 120,
    "lint": 60,
    "optimize": 120,
    "decode": 3000,
}


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_target_has_its_cases():
    assert CASES.keys() == set(NAMES)


@pytest.mark.parametrize("target", CASES)
def test_damaged_input_is_taken_or_refused(target):
    done = fuzz("--on", target, "--cases", str(CASES[target]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{target}: {CASES[target]:,} cases" in done.stdout


def test_inputs_that_coverage_leads_to_are_taken_or_refused(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz.guided", "-runs=300", "-seed=1"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done 300 runs" in done.stderr
