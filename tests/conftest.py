"""What holds for all tests. None is skipped: where something is missing, tests fail and say so."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tflite_sparse.runtime.litert.processor import interpreter_command

# In CI, generated examples are the same in every run.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
# A search for new cases belongs on somebody's machine, not between a change and its landing.
settings.load_profile("ci" if os.environ.get("CI") else "search")


@pytest.fixture(scope="session")
def emulator() -> list[str]:
    """The command of the emulated Python; without qemu the error says how to install it."""
    return interpreter_command(emulate=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Makes a failure of every skipped test: a check that did not run proves nothing."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"no test of this project may be skipped: {reason}"
