"""Findings as JSON, described by schema/lint.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.report.json.inspection import document, dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.run import LintRun

__all__ = ["rules_document", "run_document", "text"]


def run_document(run: LintRun) -> dict[str, Any]:
    """A run as plain data."""
    made = document(
        "files",
        [
            {"path": report.path, "error": report.error, "findings": len(report.findings)}
            for report in run.files
        ],
    )
    made["findings"] = [finding.to_dict() for finding in run.findings]
    made["known"] = run.known
    made["fixed"] = list(run.fixed)
    return made


def rules_document(rules: Iterable[Rule]) -> dict[str, Any]:
    """Rules as plain data."""
    return document(
        "rules",
        [
            {
                "code": rule.code,
                "name": rule.name,
                "family": rule.family.label,
                "severity": rule.severity.label,
                "what": rule.what,
                "why": rule.why,
                "fix": rule.fix,
                "command": rule.command or None,
                "fixable": rule.fixable,
                "since": rule.since,
                "link": rule.link,
            }
            for rule in rules
        ],
    )


def text(run: LintRun) -> str:
    """The whole document."""
    return dump(run_document(run)) + "\n"
