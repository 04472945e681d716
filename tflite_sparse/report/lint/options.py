"""What may be asked of a report of findings, whatever its format."""

from __future__ import annotations

import msgspec

from tflite_sparse.lint.finding import Severity

__all__ = ["ReportOptions"]


class ReportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a report; a format without a place for one passes it over.

    Attributes:
        fail_on: from which severity a finding is a failure.
        statistics: whether findings are counted by rule.
        explain: whether each rule says why it matters, and where there is more.
    """

    fail_on: Severity = Severity.WARNING
    statistics: bool = False
    explain: bool = False
