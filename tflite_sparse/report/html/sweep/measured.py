"""What running the files of a sweep showed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.sweep.amounts import measured_amount
from tflite_sparse.sweeping.result import RivalKind
from tflite_sparse.words.numbers import listing, rounded_percent

if TYPE_CHECKING:
    from tflite_sparse.sweeping.result import MeasuredTime, Sweep

__all__ = ["measured_cell", "measured_gain", "measured_head", "measured_sentence"]

_WHERE = {
    "web": "in the browser",
    "native": "on this kind of machine",
    "emulated": "on emulated arm64",
}
_MOST = 3


def measured_head(sweep: Sweep) -> str:
    """The heading of what was measured; "" where nothing was.

    Args:
        sweep: the sweep.
    """
    how = sweep.measurement
    if how is None:
        return ""
    return (
        f"instructions {_WHERE[how.where]}"
        if how.where == "emulated"
        else f"{_WHERE[how.where]}, measured"
    )


def measured_cell(measured: MeasuredTime | None) -> str:
    """A measurement in a table, such as "8.9 ms, 5.80 times"; "-" for none.

    Args:
        measured: it.
    """
    if measured is None:
        return "-"
    if measured.detail:
        return "failed"
    parts = [measured_amount(measured)]
    parts += [] if measured.gain is None else [f"{measured.gain:.2f} times"]
    return ", ".join(part for part in parts if part) or "-"


def measured_gain(measured: MeasuredTime) -> str:
    """A measurement beside the slider, such as "5.80 times as fast, 8.9 ms".

    Args:
        measured: it.
    """
    if measured.gain is None:
        return "failed" if measured.detail else measured_amount(measured) or "?"
    what = "times as fast" if measured.instructions is None else "times fewer instructions"
    parts = (f"{measured.gain:.2f} {what}", measured_amount(measured))
    return ", ".join(part for part in parts if part)


def measured_sentence(sweep: Sweep) -> str:
    """What was won where it was measured; "" where it was not.

    Args:
        sweep: the sweep.
    """
    how = sweep.measurement
    won = [
        (point.share, point.measured)
        for point in sweep.points
        if point.asked is not None and point.measured is not None and point.measured.gain
    ]
    if how is None or not won:
        return ""
    # The last ones have most zeros, and most to tell.
    shown = won[-_MOST:]
    what = "times fewer instructions" if how.where == "emulated" else "times as fast"
    gains = [
        f"{measured.gain:.2f} {'times' if number else what} at {rounded_percent(share)} zeros"
        f" ({measured_amount(measured)})"
        for number, (share, measured) in enumerate(shown)
    ]
    words = f"Measured {_WHERE[how.where]}: {listing(gains)}."
    dense = next((r.measured for r in sweep.rivals if r.kind is RivalKind.DENSE_FP32), None)
    if dense is not None and measured_amount(dense):
        words += f" The dense model takes {measured_amount(dense)}."
    return words
