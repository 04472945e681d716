"""Findings as workflow commands of GitHub Actions, which it shows as annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Severity
from tflite_sparse.report.lint.shown_paths import shown_path

if TYPE_CHECKING:
    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _line(finding: Finding) -> str:
    place = f"{finding.spot}: " if finding.spot and str(finding.spot) else ""
    fix = f"\nFix: {finding.advice}" if finding.fix else ""
    title = f"{finding.code} {finding.rule}"
    return (
        f"::{_COMMANDS[finding.severity]} file={_property(shown_path(finding.path))},"
        f"title={_property(title)}::{_data(place + finding.message)}"
        f"{_data(fix)}"
    )


def report(run: LintRun, options: ReportOptions) -> str:
    """A line for each finding and each file that could not be read."""
    del options
    lines = [_line(finding) for finding in run.findings]
    lines += [
        f"::error file={_property(shown_path(file.path))},title=unreadable::{_data(file.error)}"
        for file in run.files
        if file.error is not None
    ]
    return "".join(f"{line}\n" for line in lines)
