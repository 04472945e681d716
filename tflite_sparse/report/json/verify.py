"""What `verify` finds, as JSON."""

from __future__ import annotations

from tflite_sparse.records import Record
from tflite_sparse.runtime.verification import Verification

__all__ = ["VerifyReport"]


class VerifyReport(Record, frozen=True):
    """Whether two models mean the same.

    Attributes:
        verification: the comparison.
    """

    verification: Verification
