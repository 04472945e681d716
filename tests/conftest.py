"""What holds for all tests. None is skipped: where something is missing, tests fail and say so."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.workers import shared_workers
from tflite_sparse.runtime.litert.processor import interpreter_command

if TYPE_CHECKING:
    from collections.abc import Generator

# In CI, generated examples are the same in every run.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
# A search for new cases belongs on somebody's machine, not between a change and its landing.
settings.load_profile("ci" if os.environ.get("CI") else "search")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long tests first, so that none is left over when all others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def emulator() -> list[str]:
    """The command of the emulated Python; without qemu the error says how to install it."""
    return interpreter_command(emulate=True)


@pytest.fixture(scope="session", autouse=True)
def workers() -> Generator[None]:
    """Workers of LiteRT that all tests share."""
    with shared_workers():
        yield


@pytest.fixture(autouse=True)
def surroundings() -> Generator[None]:
    """Takes back what a test adds to the environment, as libraries do when they are imported.

    A worker that tests share serves none whose environment is another one.
    """
    paths, names = list(sys.path), {*os.environ, "PYTEST_CURRENT_TEST"}
    yield
    sys.path[:] = paths
    for name in set(os.environ) - names:
        del os.environ[name]


# Wrapped around the making of reports, as pytest counts failures before a conftest is told of them.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Makes a failure of every skipped test: a check that did not run proves nothing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", _reason(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Makes an error of every module that is skipped as a whole."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", _reason(report)
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return f"no test of this project may be skipped: {said}"
