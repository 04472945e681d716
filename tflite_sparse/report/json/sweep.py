"""What a sweep found, as JSON."""

from __future__ import annotations

from tflite_sparse.records import Record
from tflite_sparse.sweeping.result import Sweep

__all__ = ["SweepReport"]


class SweepReport(Record, frozen=True):
    """A model over the share of its zeros.

    Attributes:
        sweep: what was found.
    """

    sweep: Sweep
