"""A rewrite as a JSON document; its schema is schema/rewrite.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tflite_sparse.records import Record
from tflite_sparse.report.json.documents import document
from tflite_sparse.rewrite.changes import Changes
from tflite_sparse.rewrite.writing.sizes import Sizes

if TYPE_CHECKING:
    from tflite_sparse.rewrite.changes import Rewrite

__all__ = ["RewriteReport", "rewrite_document"]


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


def rewrite_document(
    rewrite: Rewrite, sizes: Sizes, path: str, target: str | None
) -> dict[str, Any]:
    """The document of a rewrite.

    Args:
        rewrite: what was done.
        sizes: of the model before and after.
        path: the model that was read.
        target: where the result was written, None where it was not.
    """
    return document(RewriteReport(path, target, sizes, rewrite.changes))
