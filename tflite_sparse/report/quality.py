"""How sure a quality is that inputs told, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.pruning.measures import Quality

__all__ = ["MARGIN", "held_out_words", "margin_words", "most_margin", "rough_words"]

MARGIN = "95 % margin"
"""What a margin is called: the share of all inputs of that kind lies within it, with 95 %
confidence."""


def held_out_words(quality: Quality) -> str:
    """On what it was judged, such as "250 inputs held out".

    Args:
        quality: it.
    """
    return f"{count_of(quality.inputs, 'input')} held out"


def margin_words(margin: float | None) -> str:
    """How far a share may be off, in percentage points, such as "±2.3"; "" for None.

    Args:
        margin: it, as a share.
    """
    return "" if margin is None else f"±{100 * margin:.1f}"


def most_margin(qualities: Iterable[Quality]) -> float | None:
    """The largest margin of several agreements; None where there is none.

    Args:
        qualities: what was judged.
    """
    return max((each.margin for each in qualities if each.margin is not None), default=None)


def rough_words(quality: Quality) -> str:
    """That there were few inputs; "" where there were enough.

    Args:
        quality: it.
    """
    if not quality.is_rough:
        return ""
    give = "gives" if quality.inputs == 1 else "give"
    return (
        f"{count_of(quality.inputs, 'input')} held out {give} a rough figure of quality;"
        " a few hundred tell it better"
    )
