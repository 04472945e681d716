"""A sweep as CSV: one row a file, for spreadsheets and plots."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tflite_sparse.records import plain
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.sweeping.result import MeasuredTime, PredictedTime, Sweep

__all__ = ["sweep_csv"]

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def sweep_csv(sweep: Sweep) -> str:
    """The table of a sweep; times are columns by target, and what is unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sizes = [f"{what}_{v.value}" for v in StoredValues for what in ("bytes", "gzip")]
    predicted = [
        f"{what}_{target}" for target in sweep.targets for what in ("sparse", "ms", "gain", "fewer")
    ]
    measured = ["measured_ms", "instructions", "measured_gain"]
    quality = ["top1", "top5", "kl", "snr", "cosine"]
    writer.writerow(["kind", "name", "zeros", *sizes, *predicted, *measured, *quality])
    for point in sweep.points:
        stored = [n for v in StoredValues for n in (point.size(v).bytes, point.size(v).gzip)]
        writer.writerow(
            [
                "sparse",
                "as it is" if point.asked is None else "",
                plain(point.share),
                *stored,
                *_times(point.times, sweep.targets),
                *_measured(point.measured),
                *_quality(point.quality),
            ]
        )
    for rival in sweep.rivals:
        blank = ["", ""] * 3
        number = {"dense-fp16": 1, "weights-int8": 2, "full-int8": 2}.get(rival.kind.value, 0)
        blank[2 * number : 2 * number + 2] = [str(rival.bytes or ""), str(rival.gzip or "")]
        writer.writerow(
            [
                rival.kind.value,
                _inert(rival.name),
                "",
                *blank,
                *_times(rival.times, sweep.targets),
                *_measured(rival.measured),
                *_quality(rival.quality),
            ]
        )
    return out.getvalue()


def _times(times: tuple[PredictedTime, ...], targets: tuple[str, ...]) -> list[object]:
    by_target = {time.target: time for time in times}
    cells: list[object] = []
    for target in targets:
        time = by_target.get(target)
        if time is None:
            cells += [""] * 4
        else:
            cells += map(plain, (time.sparse, time.ms, time.gain, time.fewer))
    return cells


def _measured(measured: MeasuredTime | None) -> list[object]:
    if measured is None:
        return ["", "", ""]
    return [plain(v) for v in (measured.ms, measured.instructions, measured.gain)]


def _quality(quality: Quality | None) -> list[object]:
    """The measures of the first output."""
    if quality is None or not quality.outputs:
        return [""] * 5
    first = quality.outputs[0]
    return [plain(v) for v in (first.top1, first.top5, first.kl, first.snr, first.cosine)]


def _inert(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
