"""Findings for people: a line each, grouped by file, and a summary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import find_rule
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["finding_line", "report", "statistics_lines", "summary_line"]


def finding_line(finding: Finding) -> str:
    """One finding as one line: file, place, severity, code, message."""
    place = f" {finding.spot}:" if finding.spot and str(finding.spot) else ""
    severity = finding.severity.label
    path = readable(finding.path)
    return f"{path}:{place} {severity}: {finding.code} {finding.message} [{finding.rule}]"


def summary_line(run: LintRun) -> str:
    """How many findings of each severity in how many files."""
    counts = Counter(finding.severity for finding in run.findings)
    parts = [
        f"{counts[severity]} {severity.label}{'s' if counts[severity] != 1 else ''}"
        for severity in sorted(Severity, reverse=True)
        if counts[severity]
    ]
    files, broken = len(run.files), len(run.errors)
    where = f"{files} file{'s' if files != 1 else ''}"
    text = f"{', '.join(parts) or 'nothing found'} in {where}"
    if broken == files:
        text = f"nothing looked at: {where} not readable"
    elif broken:
        text += f", {broken} of them not readable"
    if run.known:
        text += f"; {run.known} known from the baseline"
    return text


def statistics_lines(run: LintRun) -> Iterator[str]:
    """How often each rule was broken, most often first."""
    counts = Counter((finding.code, finding.rule) for finding in run.findings)
    for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{count:6}  {code}  {name}"


def report(run: LintRun, options: ReportOptions) -> str:
    """A line for each finding, what is fixed, and the summary."""
    lines = []
    told: set[tuple[str, str]] = set()
    commands: set[str] = set()
    for finding in run.findings:
        lines.append(finding_line(finding))
        # The same advice once a rule is enough.
        if (finding.code, finding.fix) not in told:
            told.add((finding.code, finding.fix))
            lines.append(f"    fix: {finding.advice}")
            if options.explain:
                rule = find_rule(finding.code)
                lines += [f"    why: {rule.why}", f"    more: {rule.link}"]
        elif finding.command and finding.command not in commands:
            # For another file it is another command.
            lines.append(f"    fix: {finding.command}")
        commands.add(finding.command)
    for word, entries in (("fixed", run.fixed), ("no longer reported", run.unchecked)):
        lines += [
            f"{readable(entry.file)}: {word}: {entry.code} {entry.message}" for entry in entries
        ]
    if options.statistics:
        lines += ["", *statistics_lines(run)]
    if lines:
        lines.append("")
    return "\n".join([*lines, summary_line(run)]) + "\n"
