"""Runtimes that can be installed, as JSON."""

from __future__ import annotations

from tflite_sparse.records import Record
from tflite_sparse.runtime.packages.bundles import BundleState

__all__ = ["RuntimesReport"]


class RuntimesReport(Record, frozen=True):
    """What there is of each runtime.

    Attributes:
        runtimes: one entry for each.
    """

    runtimes: tuple[BundleState, ...]
