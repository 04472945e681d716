"""A sweep as text: one line a share of zeros, and one a rival."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.names import shorten
from tflite_sparse.report.prepared_images import images_words
from tflite_sparse.report.quality import held_out_words
from tflite_sparse.report.sweep.amounts import MILLION, measured_amount
from tflite_sparse.report.sweep.judged import sureness
from tflite_sparse.report.text.headings import heading, labelled
from tflite_sparse.report.text.pruning.quality import quality_measure
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.pruning.measures import Quality
    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.sweeping.result import (
        MeasuredTime,
        PredictedTime,
        Rival,
        Sweep,
        SweepPoint,
        Threshold,
    )

__all__ = ["sweep_lines"]

_NAME = 16


def sweep_lines(sweep: Sweep, width: int) -> Lines:
    """The lines of a sweep.

    Args:
        sweep: it.
        width: the room for a line in characters.
    """
    from rich.text import Text

    filters = count_of(len(sweep.dense.layers), "filter")
    fitted = f", fitted to {count_of(sweep.fitted, 'input')}" if sweep.fitted else ""
    note = f"zeros in {filters}, {sweep.method}, {sweep.allocation}{fitted}"
    lines: Lines = [heading(sweep.path or "a model in memory", note, width), Text()]
    columns, rows = _table(sweep)
    lines += table(columns, rows, width)
    lines.append(Text())
    for threshold in sweep.thresholds:
        lines += labelled(threshold.target, [_threshold(threshold, sweep.dense.share)], width)
    if sweep.measurement is not None:
        how = sweep.measurement
        lines += labelled("Measured", [f"{how.runtime}, {how.processor}"], width)
    judged = [point.quality for point in sweep.points if point.quality is not None]
    if judged:
        what = f"of {held_out_words(judged[0])}, {quality_measure(judged[0])}"
        margin, rough = sureness(sweep)
        lines += labelled("Quality", [f"{what}; {margin}" if margin else what], width)
        lines += labelled("Note", [rough], width, style="yellow") if rough else []
    if sweep.images is not None:
        lines += labelled("Images", images_words(sweep.images), width)
    for doubt in sweep.doubts:
        lines += labelled("Warning", [doubt], width, style="yellow")
    for rival in sweep.rivals:
        if rival.note is not None:
            lines += labelled("Note", [f"{rival.name}: {rival.note}"], width, style="yellow")
    for words in sweep.notes:
        lines += labelled("Note", [words], width, style="yellow")
    return lines


def _table(sweep: Sweep) -> tuple[list[Column], list[list[str]]]:
    """Columns without anything in them are left out."""
    target, counts = _shown(sweep)
    columns = [
        Column("zeros"),
        Column("fp32", right=True),
        Column("fp16", right=True),
        Column("int8", right=True),
        Column("gzip", right=True),
        Column("sparse", right=True),
        Column(f"{target} {'M' if counts else 'ms'}", right=True),
        Column("fewer" if counts else "gain", right=True, style="bold"),
        Column("measured", right=True),
        Column("quality", right=True),
    ]
    rows = [_point(point, sweep, target) for point in sweep.points]
    rows += [_rival(rival, target) for rival in sweep.rivals if rival.bytes is not None]
    used = [any(row[number] for row in rows) for number in range(len(columns))]
    # The points of a model with fp16 weights have no other size with fp32.
    used[2] = any(row[2] not in ("", row[1]) for row in rows)
    return (
        [column for column, keep in zip(columns, used, strict=True) if keep],
        [[cell for cell, keep in zip(row, used, strict=True) if keep] for row in rows],
    )


def _shown(sweep: Sweep) -> tuple[str, bool]:
    """The target that is shown, and whether by instructions: the first with an estimate of time."""
    for time in sweep.dense.times:
        if time.ms is not None:
            return time.target, False
    counted = [time.target for time in sweep.dense.times if time.instructions is not None]
    return (counted or list(sweep.targets))[0], bool(counted)


def _point(point: SweepPoint, sweep: Sweep, target: str) -> list[str]:
    time = point.time(target)
    share = f"{100 * point.share:.0f} %"
    return [
        f"{share} now" if point.asked is None else share,
        *(size(stored.bytes) for stored in point.sizes),
        size(point.size(sweep.values).gzip),
        f"{time.sparse} of {time.pointwise}" if time.sparse else "-",
        *_time(time),
        _measured(point.measured),
        _quality(point.quality),
    ]


def _rival(rival: Rival, target: str) -> list[str]:
    time = next((time for time in rival.times if time.target == target), None)
    sizes = ["", "", ""]
    place = {"dense-fp16": 1, "weights-int8": 2, "full-int8": 2}.get(rival.kind.value, 0)
    sizes[place] = size(rival.bytes or 0)
    return [
        shorten(rival.name, _NAME),
        *sizes,
        size(rival.gzip or 0),
        "-",
        *(("", "") if time is None else _time(time)),
        _measured(rival.measured),
        _quality(rival.quality),
    ]


def _time(time: PredictedTime) -> Sequence[str]:
    if time.outcome.is_failure:
        return time.outcome.value, ""
    if time.ms is None and time.instructions is not None:
        fewer = "" if time.fewer is None else f"{time.fewer:.2f}"
        return f"{time.instructions / MILLION:.3g}", fewer
    return (
        "" if time.ms is None else f"{time.ms:.3g}",
        "" if time.gain is None else f"{time.gain:.2f}",
    )


def _measured(measured: MeasuredTime | None) -> str:
    if measured is None:
        return ""
    if measured.detail:
        return "failed"
    amount = measured_amount(measured)
    return f"{amount} ({measured.gain:.2f})" if amount and measured.gain is not None else amount


def _quality(quality: Quality | None) -> str:
    """The agreement of classes, or else the SNR of the output that is furthest off."""
    if quality is None:
        return ""
    if quality.warning is not None:
        return "?"
    if quality.agreement is not None:
        return f"{100 * quality.agreement:.1f} %"
    return "equal" if quality.snr is None else f"{quality.snr:.1f} dB"


def _threshold(threshold: Threshold, own: float) -> str:
    if threshold.sparse_from is None:
        return "runs dense with all of these shares"
    words = [f"runs sparse {_from(threshold.sparse_from, own)}"]
    if threshold.faster_from is not None:
        words.append(f"is faster {_from(threshold.faster_from, own)}")
    if threshold.twice_from is not None:
        words.append(f"is twice as fast {_from(threshold.twice_from, own)}")
    if threshold.fewer_from is not None:
        words.append(f"takes fewer instructions {_from(threshold.fewer_from, own)}")
    if threshold.half_from is not None:
        words.append(f"half as many {_from(threshold.half_from, own)}")
    by = ", by the estimate" if len(words) > 1 else "; nobody has measured its times"
    return ", ".join(words) + by


def _from(share: float, own: float) -> str:
    return "as it is" if share <= own else f"from {100 * share:.0f} %"
