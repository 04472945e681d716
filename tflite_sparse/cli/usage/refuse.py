"""Options that contradict each other, or ask for what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["refuse"]


def refuse(misplaced: Mapping[str, bool], hint: str) -> None:
    """Stops a command whose options make no sense together.

    Args:
        misplaced: what would be wrong, in words, and whether it is.
        hint: what to do about it.

    Raises:
        UsageError: something is wrong; the first is told.
    """
    for words, wrong in misplaced.items():
        if wrong:
            raise UsageError(words, hint=hint)
