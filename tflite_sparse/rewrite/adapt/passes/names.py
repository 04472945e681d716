"""What the passes inside `adapt` are called: in options, in results and in documents.

Apart from the passes themselves, so that help and results need not load what these do.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["PassName"]


class PassName(str, Enum):
    """Names of passes, in the order in which they are listed."""

    WINDOWS = "windows"
    MIRROR = "flip"
    EXITS = "exits"
    ENTRIES = "entries"
    HEADS = "heads"
    CANONICALIZE = "spelling"
    BARRIERS = "barriers"

    def __str__(self) -> str:
        return self.value
