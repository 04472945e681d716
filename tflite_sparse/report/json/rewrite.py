"""What a rewrite did, as JSON."""

from __future__ import annotations

from typing import ClassVar

from tflite_sparse.records import Record
from tflite_sparse.rewrite.changes import Changes
from tflite_sparse.rewrite.writing.sizes import Sizes

__all__ = ["RewriteReport"]


class RewriteReport(Record, frozen=True):
    """What a rewrite did, and what became of the file.

    Attributes:
        path: the model that was read.
        written: where the result was written; null where it was not.
        sizes: bytes of the files; after gzip at level 6 where that was computed.
        changes: what was done.
    """

    flat: ClassVar[tuple[str, ...]] = ("changes",)

    path: str
    written: str | None
    sizes: Sizes
    changes: Changes
