"""The formats that findings are reported in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tflite_sparse.report.lint import github, gitlab, json, junit, markdown, sarif, text

if TYPE_CHECKING:
    from tflite_sparse.lint.run import LintRun
    from tflite_sparse.report.lint.options import ReportOptions

__all__ = ["REPORTERS", "Reporter"]

Reporter = Callable[["LintRun", "ReportOptions"], str]

REPORTERS: dict[str, Reporter] = {
    "text": text.report,
    "json": json.report,
    "sarif": sarif.report,
    "github": github.report,
    "gitlab": gitlab.report,
    "junit": junit.report,
    "markdown": markdown.report,
}
"""Name of a format -> what makes the whole report from a run."""
