"""What sweeps of the announced nets found, and the tables of docs/sweep.md that are made of it."""

from __future__ import annotations

import statistics
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tflite_sparse.sweeping.result import SweepPoint

__all__ = ["FOLDER", "Swept", "read", "tables", "with_tables"]

FOLDER = Path(__file__).with_name("sweeps")
_MARKS = ("<!-- made by python -m benchmarks.sweeps -->\n", "<!-- made up to here -->\n")
_CLAIMED = """\
What was announced, by the sizes of files and the times that were measured in Chromium. The last
columns tell how far times above two thirds of zeros are from a straight line at most, as a share of
the dense time, and how far the time falls at once where the rule of two thirds begins to hold:
"""
_SHOWN = (0.7, 0.8, 0.9)
_HALF, _TWICE = 0.5, 2.0


class Swept(msgspec.Struct, frozen=True):
    """What is known of a net.

    Attributes:
        sweep: its sweep, with times in a browser once these were taken.
        counted: a sweep of fewer shares, with instructions on a Cortex-A76; None for none yet.
    """

    sweep: Sweep
    counted: Sweep | None = None


def read(net: str) -> Swept | None:
    """What was found of a net; None for nothing yet."""
    path = FOLDER / f"{net}.json"
    return msgspec.json.decode(path.read_bytes(), type=Swept) if path.is_file() else None


def tables(nets: Mapping[str, Swept]) -> tuple[str, dict[str, list[float]]]:
    """(the tables in Markdown, by how much predictions are off by where the nets were run)."""
    errors: dict[str, list[float]] = {"Chromium": [], "arm64": []}
    lines = [
        "| net | zeros | file | with int8 values | Chromium | predicted | A76 | predicted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for net, found in nets.items():
        lines += _rows(net, found)
        errors["Chromium"] += _errors(found.sweep, "wasm")
        errors["arm64"] += [] if found.counted is None else _errors(found.counted, "arm64")
    lines += ["", *_claims(nets), ""]
    for where, off in errors.items():
        if off:
            lines += [f"- {_off(where, off)}"]
    return "\n".join(lines) + "\n", errors


def with_tables(page: str, text: str) -> str:
    """A page with these tables in the place of those in it."""
    before, _, rest = page.partition(_MARKS[0])
    after = rest.partition(_MARKS[1])[2]
    return f"{before}{_MARKS[0]}\n{text}\n{_MARKS[1]}{after}"


def _rows(net: str, found: Swept) -> Iterator[str]:
    name = f"[{net}](sweeps/{net}.html)"
    for share in _SHOWN:
        point = _at(found.sweep, share)
        counted = None if found.counted is None else _at(found.counted, share)
        cells = [
            name,
            _percent(f"{share:.0%}"),
            _smaller(point, found.sweep, StoredValues.FP32),
            _smaller(point, found.sweep, StoredValues.INT8),
            _times(_measured(point)),
            _times(point.time("wasm").gain),
            _times(None if counted is None else _measured(counted)),
            _times(point.time("arm64").fewer),
        ]
        name = ""
        yield f"| {' | '.join(cells)} |"


def _at(sweep: Sweep, share: float) -> SweepPoint:
    return next(point for point in sweep.points if point.asked == share)


def _measured(point: SweepPoint) -> float | None:
    return None if point.measured is None else point.measured.gain


def _percent(text: str) -> str:
    return text.replace("%", " %")


def _times(gain: float | None) -> str:
    return "" if gain is None else f"{gain:.2f}"


def _part(point: SweepPoint, sweep: Sweep, values: StoredValues) -> float:
    return point.size(values).bytes / sweep.bytes


def _smaller(point: SweepPoint, sweep: Sweep, values: StoredValues) -> str:
    return _percent(f"{_part(point, sweep, values) - 1:+.0%}")


def _errors(sweep: Sweep, target: str) -> list[float]:
    """By how much the predicted gains of points that run sparse are off."""
    found = []
    for point in sweep.points[1:]:
        time = point.time(target)
        won = time.gain or time.fewer
        gain = _measured(point)
        if time.sparse and won and gain:
            found.append(won / gain - 1)
    return found


def _off(where: str, off: Sequence[float]) -> str:
    sizes = [abs(each) for each in off]
    what = "times in Chromium" if where == "Chromium" else "instructions on a Cortex-A76"
    return _percent(
        f"Predicted {what} are {statistics.median(sizes):.1%} off in the median of {len(off)}"
        f" points that run sparse, {max(sizes):.1%} at most."
    )


def _claims(nets: Mapping[str, Swept]) -> Iterator[str]:
    yield _CLAIMED
    yield "| net | half the size | twice as fast | at 80 % | off a straight line | step at 67 % |"
    yield "|---|---|---|---|---|---|"
    for net, found in nets.items():
        points = found.sweep.points
        times = [(p.share, 1 / gain) for p in points if (gain := _measured(p))]
        sizes = [(p.share, _part(p, found.sweep, StoredValues.FP32)) for p in points]
        above = [each for each in times if each[0] >= found.sweep.least_zeros]
        below = [time for share, time in times if share < found.sweep.least_zeros]
        cells = [
            net,
            _from(sizes, 0.0),
            _from(times, found.sweep.least_zeros),
            next((f"{time - 1:+.0%}" for share, time in times if abs(share - 0.8) < _NEAR), ""),
        ]
        if len(above) > _POINTS and below:
            cells += [f"{_off_line(above):.1%}", f"{above[0][1] - below[-1]:+.0%}"]
        else:
            cells += ["", ""]
        yield _percent(f"| {' | '.join(cells)} |")


_NEAR, _POINTS = 0.005, 2


def _from(values: Sequence[tuple[float, float]], least: float) -> str:
    """From which share of zeros on something is half of what it was, between points by a line.

    Args:
        values: what it is by the share of zeros.
        least: where it falls at once, before which nothing is won.
    """
    for (left, before), (right, after) in pairwise(values):
        if before > _HALF >= after:
            share = left + (right - left) * (before - _HALF) / (before - after)
            return f"from {max(share, least):.0%} on"
    return f"not up to {values[-1][0]:.0%}" if values else ""


def _off_line(values: Sequence[tuple[float, float]]) -> float:
    """How far from the best straight line the furthest is, as a share of the dense time."""
    slope, start = statistics.linear_regression(*zip(*values, strict=True))
    return max(abs(start + slope * share - time) for share, time in values)
