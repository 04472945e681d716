"""Findings as Markdown: for a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.lint.rule_pages import table_cell
from tflite_sparse.report.lint.text import summary_line
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report"]


def _fix_line(code: str, fix: str, command: str) -> str:
    words = fix.replace("*", "\\*").replace("<", "&lt;")
    return f"- {code}: {words}" + (f" `{command}`" if command else "")


def report(run: LintRun, options: ReportOptions) -> str:
    """A table for each file, and under it how to fix what is in it."""
    del options
    lines = ["# tflite-sparse lint", "", summary_line(run) + ".", ""]
    for file in run.files:
        findings = [finding for finding in run.findings if finding.path == file.path]
        if not findings and file.error is None:
            continue
        lines += [f"## `{readable(file.path)}`", ""]
        if file.error is not None:
            lines += [f"Not readable: {file.error}", ""]
        if findings:
            lines += ["| severity | rule | place | finding |", "|---|---|---|---|"]
            lines += [
                f"| {finding.severity.label} | {finding.code} {finding.rule}"
                f" | {table_cell(str(finding.spot or ''))} | {table_cell(finding.message)} |"
                for finding in findings
            ]
            fixes = dict.fromkeys((f.code, f.fix, f.command) for f in findings)
            lines += ["", *(_fix_line(*fix) for fix in fixes), ""]
    return "\n".join(lines)
