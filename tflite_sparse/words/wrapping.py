"""Text in lines of a width, broken where a reader would break it."""

from __future__ import annotations

import textwrap

__all__ = ["wrapped"]

_PER_CENT = " %"
_KEPT = "\u00a0%"


def wrapped(
    text: str, width: int, *, first: str = "", rest: str = "", long_words: bool = True
) -> list[str]:
    """The lines of a text: words stay whole, and a number keeps its per cent sign.

    Args:
        text: the text.
        width: the room for a line in characters.
        first: what the first line begins with.
        rest: what all others begin with.
        long_words: whether a word that is longer than a line is broken.
    """
    rows = textwrap.wrap(
        text.replace(_PER_CENT, _KEPT),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=long_words,
        break_on_hyphens=False,
    )
    return [row.replace(_KEPT, _PER_CENT) for row in rows]
