"""What `lint --fix` has done to a file, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.fix import FixReport

__all__ = ["fix_lines"]


def fix_lines(report: FixReport, *, dry_run: bool) -> Iterator[str]:
    """A line for each step, and one for what came of them."""
    would = "would have " if dry_run else ""
    for step in report.steps:
        yield f"{readable(report.path)}: {would}{step}"
    if report.content is None:
        yield f"{readable(report.path)}: nothing to fix"
        return
    left = len(report.remaining)
    yield (
        f"{readable(report.path)}: {report.size_before:,} -> {report.size_after:,} bytes;"
        f" {left} finding{'s' if left != 1 else ''} left"
    )
