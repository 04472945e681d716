"""What the page of a sweep says in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.report.html.sweep.charts import TARGETS
from tflite_sparse.report.html.sweep.measured import measured_sentence
from tflite_sparse.report.prepared_images import images_words
from tflite_sparse.words.numbers import count_of, listing, rounded_percent, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.sweeping.result import Sweep, Threshold

__all__ = ["about", "quality_unknown", "sentences", "where"]

_CHOSEN = {
    Method.MAGNITUDE: "The smallest values of each filter became zero (magnitude)",
    Method.CALIBRATED: "Zeros and what stays were fitted (calibrated)",
    Method.TRAIN: "Zeros were trained (train)",
}
_SPREAD = {
    Allocation.UNIFORM: "every filter has the same share of zeros (uniform)",
    Allocation.ERK: "large filters have more zeros than small ones (erk)",
    Allocation.FIDELITY: "filters that bear it better have more zeros (fidelity)",
}


def where(target: str) -> str:
    """A target, in a sentence."""
    return "in the browser" if target in TARGETS else f"on {target}"


def sentences(sweep: Sweep) -> Iterator[str]:
    """What is known of time, first what was measured; where it runs sparse at all; the size."""
    measured = measured_sentence(sweep)
    if measured:
        yield measured
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
    return f"{words}: an estimate of work, which is not time."


def about(sweep: Sweep) -> str:
    """How zeros came about, in a sentence."""
    chosen = _CHOSEN[sweep.method]
    if sweep.fitted:
        chosen += f" to {count_of(sweep.fitted, 'input')}"
    words = f"{chosen}; {_SPREAD[sweep.allocation]}."
    if sweep.images is not None:
        words += f" Images became inputs: {'; '.join(images_words(sweep.images))}."
    return words


def quality_unknown(sweep: Sweep) -> str:
    """That nobody knows what the gains cost; "" where inputs told."""
    if sweep.held_out:
        return ""
    return (
        "What quality is left is not known: the sweep had no inputs to judge by. These are gains in"
        " size and speed alone; sweep --data tells what they cost."
    )
