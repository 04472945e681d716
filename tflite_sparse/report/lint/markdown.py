"""Findings and rules as Markdown: for a comment on a pull request, and for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.lint.text import summary_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["report", "rule_page", "rules_index"]


def _cell(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def report(run: LintRun, options: ReportOptions) -> str:
    """A table for each file."""
    del options
    lines = ["# tflite-sparse lint", "", summary_line(run) + ".", ""]
    for file in run.files:
        findings = [finding for finding in run.findings if finding.path == file.path]
        if not findings and file.error is None:
            continue
        lines += [f"## `{file.path}`", ""]
        if file.error is not None:
            lines += [f"Not readable: {file.error}", ""]
        if findings:
            lines += ["| severity | rule | place | finding |", "|---|---|---|---|"]
            lines += [
                f"| {finding.severity.label} | {finding.code} {finding.rule}"
                f" | {_cell(str(finding.spot or ''))} | {_cell(finding.message)} |"
                for finding in findings
            ]
            lines.append("")
    return "\n".join(lines)


def rule_page(rule: Rule) -> str:
    """The page of a rule in the documentation."""
    lines = [
        f"# {rule.code} {rule.name}",
        "",
        f"Family: {rule.family.label} · severity: {rule.severity.label} · since {rule.since}"
        + (" · fixed by `tflite-sparse lint --fix`" if rule.fixable else ""),
        "",
        "## What it finds",
        "",
        rule.what,
        "",
        "## Why it matters",
        "",
        rule.why,
        "",
        "## How to fix it",
        "",
        rule.fix,
    ]
    if rule.command:
        lines += ["", f"    {rule.command}"]
    return "\n".join(lines) + "\n"


def rules_index(rules: Iterable[Rule]) -> str:
    """The table of all rules."""
    lines = [
        "# Rules",
        "",
        "Made by `tflite-sparse rules --markdown`. `--select TFS2` takes a whole family.",
        "",
    ]
    family = None
    for rule in rules:
        if rule.family is not family:
            family = rule.family
            lines += ["", f"## {family.digit}xx {family.label}: {family.about}", ""]
            lines += ["| rule | severity | what it finds |", "|---|---|---|"]
        lines.append(
            f"| [{rule.code} {rule.name}]({rule.code}.md) | {rule.severity.label}"
            f" | {_cell(rule.what)} |"
        )
    return "\n".join(lines) + "\n"
