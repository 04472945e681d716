"""A comparison of two models as a JSON document; its schema is schema/diff.schema.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse._version import __version__
from tflite_sparse.report.json.inspection import SCHEMA_VERSION

if TYPE_CHECKING:
    from tflite_sparse.comparison.diff_types import ModelDiff

__all__ = ["diff_document"]


def diff_document(diff: ModelDiff) -> dict[str, Any]:
    """The document of a comparison."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "tflite-sparse", "version": __version__},
        **diff.to_dict(),
    }
