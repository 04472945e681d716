"""What somebody meant who mistyped a name."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]

_DIGITS = re.compile(r"\d")
_ALIKE = 0.7  # of 1


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that a word is most like; None where it is like none.

    Args:
        word: what was written.
        known: the names that there are.
    """
    names = {name.lower(): name for name in known}
    near = (names[found] for found in difflib.get_close_matches(word.lower(), names, cutoff=_ALIKE))
    return next((name for name in near if not _is_another(word, name)), None)


def _is_another(word: str, name: str) -> bool:
    """Whether only numbers differ: who writes 2.9 does not mean 2.3, who writes 46 may mean 64."""
    letters = [_DIGITS.sub("", text.lower()) for text in (word, name)]
    digits = [sorted(_DIGITS.findall(text)) for text in (word, name)]
    return letters[0] == letters[1] and bool(digits[0]) and digits[0] != digits[1]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The beginning of a hint, such as "did you mean arm64? "; "" where a word is like no name.

    Args:
        word: what was written.
        known: the names that there are.
    """
    near = nearest(word, known)
    return "" if near is None else f"did you mean {near}? "
