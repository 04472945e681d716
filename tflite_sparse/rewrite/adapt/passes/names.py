"""The names of the passes inside `adapt`, as options, results and documentation show them.

They have a module of their own so that help and results need not import the passes.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["FORMER_NAMES", "PassName"]


class PassName(str, Enum):
    """Names of passes, in the order in which they are listed."""

    FOLD = "fold"
    WINDOWS = "windows"
    MIRROR = "mirror"
    EXITS = "exits"
    ENTRIES = "entries"
    HEADS = "heads"
    CANONICALIZE = "canonicalize"
    KXK = "kxk"
    BARRIERS = "barriers"
    PERMUTE = "permute"

    def __str__(self) -> str:
        return self.value


FORMER_NAMES = {"flip": PassName.MIRROR, "spelling": PassName.CANONICALIZE}
"""What some passes were called before; options still take these names."""
