"""What JSON documents have in common: their heading, and how they are written."""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from tflite_sparse._version import __version__
from tflite_sparse.records import Record

__all__ = ["Heading", "Tool", "document", "dump"]


class Tool(Record, frozen=True):
    """What made the document.

    Attributes:
        name: name of the program.
        version: its version.
    """

    name: Literal["tflite-sparse"] = "tflite-sparse"
    version: str = __version__


class Heading(Record, frozen=True):
    """What a document begins with.

    Attributes:
        schema_version: version of this format; it grows when a reader must know of a change.
        tool: what made the document.
    """

    schema_version: Literal[1] = 1
    tool: Tool = Tool()


def document(content: Record) -> dict[str, Any]:
    """A document: the heading, and beside it what it is about."""
    return Heading().to_dict() | content.to_dict()


def dump(content: Any) -> str:
    """A document as text, two blanks a level, in the order of its fields."""
    # What json indents, it writes in Python, and takes five times as long.
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    try:
        return msgspec.json.format(text, indent=2)
    except UnicodeEncodeError:  # bytes of a name of a file that are no UTF-8
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
