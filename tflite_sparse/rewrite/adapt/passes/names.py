"""The names of the passes inside `adapt`, as options, results and documentation show them.

They have a module of their own so that help and results need not import the passes.
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
