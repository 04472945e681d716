"""Findings as JSON, described by schema/lint.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.json.documents import document, dump
from tflite_sparse.report.json.lint import lint_report

if TYPE_CHECKING:
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report"]


def report(run: LintRun, options: ReportOptions) -> str:
    """The whole document."""
    del options
    return dump(document(lint_report(run))) + "\n"
