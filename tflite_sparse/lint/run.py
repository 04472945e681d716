"""A run over many files: the same result in any order and on any number of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.baseline import Baseline, BaselineEntry
from tflite_sparse.lint.engine import FileReport, lint
from tflite_sparse.lint.finding import Finding, Severity
from tflite_sparse.processes import mapping
from tflite_sparse.records import Record
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tflite_sparse.lint.settings import Settings

__all__ = ["LintRun", "lint_files", "make_run"]

_SHOWN = 8


class LintRun(Record, frozen=True):
    """What came of a run.

    Attributes:
        files: a report for each file, by path.
        findings: the findings that count, in the order of the files.
        known: how many the baseline knows.
        fixed: what the baseline knows and is gone.
        unchecked: what the baseline knows and was not looked for, as its rule or budget is off.
    """

    files: tuple[FileReport, ...]
    findings: tuple[Finding, ...]
    known: int = 0
    fixed: tuple[BaselineEntry, ...] = ()
    unchecked: tuple[BaselineEntry, ...] = ()

    def __repr__(self) -> str:
        """Ten lines at most: the whole is in the fields, and in `to_dict()`."""
        findings, files = len(self.findings), count_of(len(self.files), "file")
        about = f"{count_of(findings, 'finding')} in {files}, {len(self.errors)} not readable"
        lines = [f"<LintRun: {about}"]
        lines += [
            f"  {found.path}: {found.severity.label}: {found.code} {found.message}"
            for found in self.findings[:_SHOWN]
        ]
        if len(self.findings) > _SHOWN:
            lines.append(f"  and {len(self.findings) - _SHOWN} more")
        return "\n".join(lines) + ">"

    @property
    def errors(self) -> tuple[str, ...]:
        """What could not be read."""
        return tuple(report.error for report in self.files if report.error is not None)

    def fails(self, fail_on: Severity) -> bool:
        """Whether a finding is as bad as this or worse."""
        return any(finding.severity >= fail_on for finding in self.findings)


def lint_files(
    jobs: Sequence[tuple[str, Settings]],
    *,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[FileReport]:
    """Lints files.

    Args:
        jobs: path and settings of each.
        processes: how many processes do it.
        progress: called with the number of files that are done and that of all.

    Returns:
        The reports in the order of the paths, each path once.

    Raises:
        RuntimeFailureError: a process has died, most likely for want of memory.
    """
    unique = sorted(dict(jobs).items())
    workers = min(processes, len(unique))
    if workers <= 1:
        one_by_one = (lint(path, settings) for path, settings in unique)
        return list(_counted(one_by_one, len(unique), progress))
    with mapping(workers, "linted") as start:
        results = start(lint, *zip(*unique, strict=True))
        return list(_counted(results, len(unique), progress))


def _counted(
    reports: Iterable[FileReport], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[FileReport]:
    for number, report in enumerate(reports, 1):
        if progress is not None:
            progress(number, total)
        yield report


def make_run(
    reports: Iterable[FileReport],
    baseline: Baseline | None = None,
    folder: str | os.PathLike[str] = ".",
) -> LintRun:
    """The reports as one run, held against a baseline.

    Args:
        reports: a report for each file.
        baseline: what is accepted, None for nothing.
        folder: the folder that the baseline lies in.
    """
    files = tuple(sorted(reports, key=lambda report: report.path))
    findings = tuple(finding for report in files for finding in report.findings)
    if baseline is None:
        return LintRun(files, findings)
    linted = {report.path: report.checked for report in files if report.error is None}
    compared = baseline.compare(findings, linted, folder)
    return LintRun(files, compared.new, compared.known, compared.fixed, compared.unchecked)
