"""Findings as a code quality report of GitLab, which it shows in the merge request."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tflite_sparse.lint.finding import Severity
from tflite_sparse.report.lint.shown_paths import shown_path

if TYPE_CHECKING:
    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report"]

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def report(run: LintRun, options: ReportOptions) -> str:
    """An entry for each finding and each file that could not be read."""
    del options
    entries = [_finding(finding) for finding in run.findings]
    entries += [
        _entry(file.path, "unreadable", file.error, "blocker", "unreadable")
        for file in run.files
        if file.error is not None
    ]
    return json.dumps(entries, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    place = f"{finding.spot}: " if finding.spot and str(finding.spot) else ""
    text = f"{finding.code} {place}{finding.message}. Fix: {finding.advice}"
    name = f"{finding.code} {finding.rule}"
    severity = _SEVERITIES[finding.severity]
    return _entry(finding.path, name, text, severity, finding.fingerprint)


def _entry(path: str, name: str, text: str, severity: str, identity: str) -> dict[str, Any]:
    """An entry; its fingerprint is unlike that of the same finding in another file."""
    shown = shown_path(path)
    digest = hashlib.sha256(f"{shown}\0{identity}".encode("utf-8", "replace")).hexdigest()
    return {
        "description": text,
        "check_name": name,
        "fingerprint": digest[:32],
        "severity": severity,
        # A model has no lines, and an entry without one is not shown.
        "location": {"path": shown, "lines": {"begin": 1}},
    }
