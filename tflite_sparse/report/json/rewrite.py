"""A rewrite as a JSON document; its schema is schema/rewrite.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.report.json.documents import document

if TYPE_CHECKING:
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.writing.sizes import Sizes

__all__ = ["rewrite_document"]


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
    return document(
        {"path": path, "written": target, "sizes": sizes.to_dict(), **rewrite.to_dict()}
    )
