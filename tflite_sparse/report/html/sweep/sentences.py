"""What the page of a sweep says in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.sweep.charts import TARGETS
from tflite_sparse.words.numbers import count_of, listing, rounded_percent, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.sweeping.result import Sweep, Threshold

__all__ = ["about", "sentences", "where"]


def where(target: str) -> str:
    """A target, in a sentence."""
    return "in the browser" if target in TARGETS else f"on {target}"


def sentences(sweep: Sweep) -> Iterator[str]:
    """What is known of time, then where it runs sparse at all, then the size."""
    timed = [t for t in sweep.thresholds if t.faster_from is not None]
    yield from (_faster(threshold) for threshold in timed)
    counted = [t for t in sweep.thresholds if t.fewer_from is not None and t not in timed]
    yield from (_takes_fewer(threshold) for threshold in counted)
    timed += counted
    alike: dict[float | None, list[str]] = {}
    for threshold in sweep.thresholds:
        if threshold not in timed:
            alike.setdefault(threshold.sparse_from, []).append(threshold.target)
    for share, targets in alike.items():
        place = where(targets[0]) if len(targets) == 1 else f"on {listing(targets)}"
        if share is None:
            yield f"It runs dense {place} with all of these shares."
        else:
            yield f"It runs sparse {place} from {rounded_percent(share)} zeros on."
    best = min(sweep.points, key=lambda point: point.size(sweep.values).bytes)
    share_of_size = best.size(sweep.values).bytes / (sweep.bytes or 1)
    yield (
        f"At {rounded_percent(best.share)} zeros the file is {rounded_percent(share_of_size)} of"
        f" its size, {size(best.size(sweep.values).bytes)}."
    )


def _faster(threshold: Threshold) -> str:
    place = where(threshold.target)
    words = f"Faster {place} from {rounded_percent(threshold.faster_from or 0)} zeros on"
    if threshold.twice_from is not None:
        words += f", twice as fast from {rounded_percent(threshold.twice_from)}"
    return f"{words}: an estimate."


def _takes_fewer(threshold: Threshold) -> str:
    place = where(threshold.target)
    words = f"Fewer instructions {place} from {rounded_percent(threshold.fewer_from or 0)} zeros on"
    if threshold.half_from is not None:
        words += f", half as many from {rounded_percent(threshold.half_from)}"
    return f"{words}: an estimate, and no time."


def about(sweep: Sweep) -> str:
    """How zeros came about, in a sentence."""
    how = f"Zeros by {sweep.method}, spread {sweep.allocation}"
    if sweep.fitted:
        return f"{how}, fitted to {count_of(sweep.fitted, 'input')}."
    return f"{how}, without data: for size and speed alone; the quality that is left is unknown."
