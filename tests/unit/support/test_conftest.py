"""No test is skipped: what is skipped fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[2] / "conftest.py"
SKIPPED = """
import pytest

@pytest.fixture
def missing():
    pytest.skip("by a fixture")

@pytest.mark.skipif(True, reason="by a mark")
def test_mark(): pass

def test_body(): pytest.skip("by itself")

def test_fixture(missing): pass

@pytest.mark.xfail(strict=True)
def test_known_to_fail(): assert False

def test_good(): pass
"""


def outcome(folder: Path, **modules: str) -> tuple[int, str]:
    """The exit status and output of pytest over modules, under this project's conftest."""
    shutil.copy(CONFTEST, folder)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_skipped_test_fails_with_its_reason(tmp_path: Path) -> None:
    status, text = outcome(tmp_path, test_some=SKIPPED)
    assert status == 1
    assert "1 passed, 1 xfailed" in text
    assert "skipped in" not in text
    for reason in ("by a mark", "by itself", "by a fixture"):
        assert f"no test of this project may be skipped: Skipped: {reason}" in text


def test_a_module_that_is_skipped_as_a_whole_is_an_error(tmp_path: Path) -> None:
    whole = 'import pytest\npytest.importorskip("no_such_module_at_all")\n'
    status, text = outcome(tmp_path, test_whole=whole)
    assert status not in {0, 5}
    assert "no test of this project may be skipped: Skipped: could not import" in text


def test_what_passes_passes(tmp_path: Path) -> None:
    status, _ = outcome(tmp_path, test_good="def test_good(): pass\n")
    assert status == 0
