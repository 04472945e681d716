"""What a rewrite did, as JSON."""

from __future__ import annotations

from typing import ClassVar

from tflite_sparse.pruning.measures import Quality
from tflite_sparse.pruning.result import Pruning
from tflite_sparse.records import Record
from tflite_sparse.rewrite.changes import Changes
from tflite_sparse.rewrite.failing import Failing
from tflite_sparse.rewrite.writing.sizes import Sizes

__all__ = ["RewriteReport"]


class RewriteReport(Record, frozen=True):
    """What a rewrite did, and what became of the file.

    Attributes:
        path: the model that was read.
        written: where the result was written; null where it was not.
        sizes: bytes of the files; after gzip at level 6 where that was computed.
        changes: what was done.
        verified: whether both models ran on LiteRT and computed the same.
        verification: what that showed, or why it was not done.
        fails: what the runtime gets wrong with the result; null for nothing.
        repaired: what it got wrong with the model that was read and does no more; null for nothing.
        pruning: what was pruned first; null for nothing.
        constant: outputs that are the same for every input: that they agree proves nothing.
        quality: how near what was written comes to the dense model, on inputs that nothing was
            fitted to; null where nothing was pruned, or without data.
    """

    flat: ClassVar[tuple[str, ...]] = ("changes",)

    path: str
    written: str | None
    sizes: Sizes
    changes: Changes
    verified: bool
    verification: str
    fails: Failing | None
    repaired: Failing | None
    pruning: Pruning | None = None
    constant: tuple[str, ...] = ()
    quality: Quality | None = None
