"""What lint finds, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from tflite_sparse.lint.baseline import BaselineEntry
from tflite_sparse.lint.finding import Severity
from tflite_sparse.records import Count, Record

if TYPE_CHECKING:
    from tflite_sparse.lint.finding import Finding
    from tflite_sparse.lint.run import LintRun

__all__ = ["FindingEntry", "LintReport", "LintedFile", "lint_report"]


class LintedFile(Record, frozen=True):
    """A file that was looked at.

    Attributes:
        path: the file as the user named it.
        error: what kept it from being read; None where it was read.
        findings: number of its findings, known ones included.
    """

    path: str
    error: str | None
    findings: Count


class FindingEntry(Record, frozen=True):
    """What a rule says of a place of a model.

    Attributes:
        code: code of the rule.
        rule: name of the rule.
        severity: how bad it is, by the rule or by the configuration.
        message: what is wrong, with numbers.
        path: the file.
        subgraph: name of the subgraph, its index where it has none.
        operator: kind of the operator.
        output: name of the operator's first output.
        tensor: name of the tensor.
        index: index of the operator, or of the tensor without one.
        fix: what to do about it.
        command: the command that does it, ready to paste; "" where there is none.
        fingerprint: the same for the same rule and place, whatever their indices.
        data: the numbers in the message, by name.
    """

    code: Annotated[str, msgspec.Meta(pattern="^TFS[1-6][0-9]{2}$")]
    rule: str
    severity: Severity
    message: str
    path: str
    subgraph: str | None
    operator: str | None
    output: str | None
    tensor: str | None
    index: int | None
    fix: str
    command: str
    fingerprint: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    data: dict[str, Any]


class LintReport(Record, frozen=True):
    """What lint found in files.

    Attributes:
        files: the files that were looked at, by path.
        findings: the findings that the baseline does not know, by file and place.
        known: how many findings the baseline knows.
        fixed: entries of the baseline that were looked for and not found again.
        unchecked: entries of the baseline whose rule or budget is off now for their file.
    """

    files: tuple[LintedFile, ...]
    findings: tuple[FindingEntry, ...]
    known: Count
    fixed: tuple[BaselineEntry, ...]
    unchecked: tuple[BaselineEntry, ...]


def lint_report(run: LintRun) -> LintReport:
    """What a run of lint found."""
    return LintReport(
        files=tuple(
            LintedFile(report.path, report.error, len(report.findings)) for report in run.files
        ),
        findings=tuple(_finding(finding) for finding in run.findings),
        known=run.known,
        fixed=run.fixed,
        unchecked=run.unchecked,
    )


def _finding(finding: Finding) -> FindingEntry:
    spot = finding.spot
    return FindingEntry(
        code=finding.code,
        rule=finding.rule,
        severity=finding.severity,
        message=finding.message,
        path=finding.path,
        subgraph=None if spot is None else spot.subgraph,
        operator=None if spot is None else spot.operator,
        output=None if spot is None else spot.output,
        tensor=None if spot is None else spot.tensor,
        index=None if spot is None else spot.index,
        fix=finding.fix,
        command=finding.command,
        fingerprint=finding.fingerprint,
        data=finding.data,
    )
