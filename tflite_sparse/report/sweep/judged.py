"""How sure the quality in a sweep is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.quality import MARGIN, margin_words, most_margin, rough_words

if TYPE_CHECKING:
    from tflite_sparse.sweeping.result import Rival, Sweep, SweepPoint

__all__ = ["sureness"]


def sureness(sweep: Sweep) -> tuple[str, str]:
    """How far agreements may be off at most, and that they are rough where inputs were few.

    Args:
        sweep: the sweep.

    Returns:
        Both; "" for nothing to say.
    """
    entries: list[SweepPoint | Rival] = [*sweep.points, *sweep.rivals]
    qualities = [each.quality for each in entries if each.quality is not None]
    if not qualities:
        return "", ""
    most = most_margin(qualities)
    margin = "" if most is None else f"{margin_words(most)} points at most ({MARGIN})"
    return margin, rough_words(qualities[0])
