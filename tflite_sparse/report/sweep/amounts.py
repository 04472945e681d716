"""What a run of a file takes, in words: the same in the terminal and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.sweeping.result import MeasuredTime

__all__ = ["MILLION", "measured_amount"]

MILLION = 1e6
"""Instructions are told in millions."""
_WHOLE = 100


def measured_amount(measured: MeasuredTime) -> str:
    """What a run takes, such as "8.9 ms" or "210 M"; "" where that is not known.

    Args:
        measured: what running the file showed.
    """
    if measured.instructions is not None:
        millions = measured.instructions / MILLION
        return f"{millions:.0f} M" if millions >= _WHOLE else f"{millions:.3g} M"
    return "" if measured.ms is None else f"{measured.ms:.3g} ms"
