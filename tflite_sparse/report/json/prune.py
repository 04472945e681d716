"""What pruning did, as JSON."""

from __future__ import annotations

from typing import ClassVar

from tflite_sparse.pruning.result import Pruning
from tflite_sparse.records import Count, Record

__all__ = ["PruneReport"]


class PruneReport(Record, frozen=True):
    """What pruning did, and what became of the file.

    Attributes:
        path: the model that was read.
        written: where the result was written; null where it was not.
        refused: why it was not written; null where nothing stood in the way.
        bytes: size of the pruned model, stored dense; null where it was not written.
        pruning: what was done.
    """

    flat: ClassVar[tuple[str, ...]] = ("pruning",)

    path: str
    written: str | None
    refused: str | None
    bytes: Count | None
    pruning: Pruning
