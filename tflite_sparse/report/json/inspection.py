"""The results of the tool as JSON documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tflite_sparse._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.errors import TfliteSparseError
    from tflite_sparse.inspection.inspection import Inspection

__all__ = [
    "SCHEMA_VERSION",
    "document",
    "dump",
    "envelope",
    "error_entry",
    "inspection_entry",
]

SCHEMA_VERSION = 1
"""Grows when a document changes in a way that a reader must know of."""


def document(key: str, content: Any) -> dict[str, Any]:
    """A document: which schema and tool made it, and its content under a name."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "tflite-sparse", "version": __version__},
        key: content,
    }


def envelope(models: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A document over several models, in the order in which they were asked for."""
    return document("models", list(models))


def inspection_entry(inspection: Inspection) -> dict[str, Any]:
    """The entry of a model that was inspected."""
    return inspection.to_dict()


def error_entry(path: str, error: TfliteSparseError) -> dict[str, Any]:
    """The entry of a model that could not be read."""
    place = error.place
    return {
        "path": path,
        "error": {
            "kind": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "place": {
                "subgraph": None if place.subgraph is None else str(place.subgraph),
                "operator": place.operator,
                "tensor": place.tensor,
                "offset": place.offset,
            },
        },
    }


def dump(content: dict[str, Any]) -> str:
    """A document as text, two blanks a level, in the order of its fields."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
