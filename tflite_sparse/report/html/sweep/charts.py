"""The charts of a sweep: size, time and quality over zeros, and quality over time and size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.pruning.measures import Quality
from tflite_sparse.report.html.svg.chart import Axis, Chart, Dot, Level, Series, place_x, place_y
from tflite_sparse.report.sweep.judged import sureness
from tflite_sparse.sweeping.result import Rival
from tflite_sparse.words.numbers import rounded_percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.sweeping.result import Sweep, SweepPoint

__all__ = ["QualityScale", "SweepChart", "quality_of", "relative_time", "sweep_charts"]

_MIB = 2**20
_ROOM = 1.08
_SAME, _NOISE = 0.005, 0.03
_COLOURS = ("a", "b", "c", "d")

TARGETS = {"wasm": "browser"}
"""What targets are called in a chart, where that is not their name."""


class SweepChart(msgspec.Struct, frozen=True):
    """A chart with what the slider does in it.

    Attributes:
        key: stable name of it.
        chart: the chart.
        note: what else there is to know; "" for nothing.
        line: where the slider's line stands for each point of the sweep; empty for no line.
        rings: for each point of the sweep, where rings stand.
    """

    key: str
    chart: Chart
    note: str
    line: tuple[float, ...]
    rings: tuple[tuple[tuple[float, float], ...], ...]


def sweep_charts(sweep: Sweep) -> list[SweepChart]:
    """The charts for which there are numbers.

    Args:
        sweep: the sweep.
    """
    return [chart for make in (_size, _time, _quality, _trade, _pareto) for chart in make(sweep)]


def relative_time(point: SweepPoint | Rival, target: str | None) -> float | None:
    """Time as a share of that of the dense model; None where nobody knows.

    Args:
        point: a point of the sweep or a rival.
        target: the target of an estimate; None for what was measured.
    """
    if target is None:
        gain = None if point.measured is None else point.measured.gain
    else:
        gain = next((time.gain for time in point.times if time.target == target), None)
    return 1 / gain if gain else None


class QualityScale(msgspec.Struct, frozen=True):
    """By which number quality is told.

    Attributes:
        name: what it is called.
        value: the number; None where there is none.
        word: the number in words.
    """

    name: str
    value: Callable[[Quality], float | None]
    word: Callable[[float], str]

    def of(self, point: SweepPoint | Rival) -> float | None:
        """The quality of a point or a rival."""
        return None if point.quality is None else self.value(point.quality)


def quality_of(sweep: Sweep) -> QualityScale | None:
    """By which number quality is told in a sweep; None without data.

    Args:
        sweep: the sweep.
    """
    first = next((p.quality for p in sweep.points if p.quality is not None), None)
    if first is None:
        return None
    if first.after:
        name = next(iter(first.after))
        return QualityScale(name, lambda quality: quality.after.get(name), "{:.4g}".format)
    if first.agreement is not None:
        name = "Agreement with the dense model"
        return QualityScale(name, lambda quality: quality.agreement, _share_word)
    return QualityScale("Signal to noise, dB", _noise, "{:.3g}".format)


def _noise(quality: Quality) -> float | None:
    return min((o.snr for o in quality.outputs if o.snr is not None), default=None)


def _share_word(share: float) -> str:
    return rounded_percent(share, 1).replace(".0 %", " %")


def _zeros_axis() -> Axis:
    return Axis("zeros in the pruned filters", 0.0, 1.0, rounded_percent)


def _over_zeros(
    sweep: Sweep,
    key: str,
    title: str,
    axis: Axis,
    series: Sequence[Series],
    levels: Sequence[Level],
    note: str = "",
) -> SweepChart:
    chart = Chart(
        title,
        _zeros_axis(),
        axis,
        tuple(series),
        tuple(levels),
        limit=(sweep.least_zeros, "runs dense"),
    )
    shares = [point.share for point in sweep.points]
    rings = tuple(
        tuple(
            (place_x(chart, x), place_y(chart, y))
            for each in series
            for x, y in each.points
            if x == share
        )
        for share in shares
    )
    return SweepChart(key, chart, note, tuple(place_x(chart, share) for share in shares), rings)


def _size(sweep: Sweep) -> Iterator[SweepChart]:
    names = [stored.values for stored in sweep.points[0].sizes]
    series = [
        Series(
            str(values),
            _COLOURS[number % len(_COLOURS)],
            tuple((point.share, point.size(values).bytes / _MIB) for point in sweep.points),
        )
        for number, values in enumerate(names)
    ]
    series = _different(series)
    levels = [Level(rival.name, rival.bytes / _MIB) for rival in sweep.rivals if rival.bytes]
    most = max([y for each in series for _, y in each.points] + [level.y for level in levels])
    axis = Axis("MiB", 0.0, most * _ROOM, lambda value: f"{value:g}")
    yield _over_zeros(sweep, "size", "Size of the file, MiB", axis, series, levels)


def _time(sweep: Sweep) -> Iterator[SweepChart]:
    series = list(_time_series(sweep))
    if not series:
        return
    levels = [Level("dense", 1.0)]
    for rival in sweep.rivals:
        share = _rival_time(sweep, rival)
        if share is not None and abs(share - 1) > (_SAME if sweep.measurement is None else _NOISE):
            levels.append(Level(rival.name, share))
    most = max([y for each in series for _, y in each.points] + [level.y for level in levels])
    axis = Axis("time", 0.0, most * _ROOM, rounded_percent)
    counts = [time.target for time in sweep.dense.times if time.instructions]
    notes = [f"On {target} these are instructions, which are no time." for target in counts]
    if sweep.measurement is not None:
        counted = sweep.measurement.where == "emulated"
        what = "are instructions, counted" if counted else "were measured"
        notes.append(f"Dots {what}: {sweep.measurement.runtime}, {sweep.measurement.processor}.")
    title = "Time of a run, as a share of the dense model's"
    yield _over_zeros(sweep, "time", title, axis, series, levels, " ".join(notes))


def _time_series(sweep: Sweep) -> Iterator[Series]:
    for number, target in enumerate(sweep.targets):
        points = tuple(_points(sweep, target))
        if points:
            name = TARGETS.get(target, target)
            yield _line(sweep, f"{name}, est.", number, points)
        fewer = (
            (p.share, time.fewer) for p in sweep.points for time in p.times if time.target == target
        )
        counts = tuple((share, 1 / times) for share, times in fewer if times)
        if counts:
            yield _line(sweep, f"{target}, est.", number, counts)
    measured = tuple(_points(sweep, None))
    if measured:
        yield Series("measured", "measured", measured, dotted=True)


def _line(sweep: Sweep, name: str, number: int, points: tuple[tuple[float, float], ...]) -> Series:
    """A line of times; one that wins nothing before is level up to the rule of two thirds."""
    below = [time for share, time in points if share <= sweep.least_zeros]
    level = bool(below) and abs(below[-1] - 1) < _SAME
    step = sweep.least_zeros if level else None
    return Series(name, _COLOURS[number % len(_COLOURS)], points, step=step)


def _points(sweep: Sweep, target: str | None) -> Iterator[tuple[float, float]]:
    for point in sweep.points:
        share = relative_time(point, target)
        if share is not None:
            yield point.share, share


def _rival_time(sweep: Sweep, rival: Rival) -> float | None:
    if sweep.measurement is not None:
        return relative_time(rival, None)
    return next((t for name in sweep.targets if (t := relative_time(rival, name))), None)


def _quality(sweep: Sweep) -> Iterator[SweepChart]:
    scale = quality_of(sweep)
    if scale is None:
        return
    points = tuple(
        (point.share, score) for point in sweep.points if (score := scale.of(point)) is not None
    )
    levels = [
        Level(rival.name, score) for rival in sweep.rivals if (score := scale.of(rival)) is not None
    ]
    axis = _quality_axis(scale, [y for _, y in points] + [level.y for level in levels])
    note = f"On {sweep.held_out} inputs that nothing was fitted to"
    note += "".join(f"; {words}" for words in sureness(sweep) if words) + "."
    yield _over_zeros(
        sweep, "quality", scale.name, axis, [Series("", "quality", points)], levels, note
    )


def _quality_axis(scale: QualityScale, values: Sequence[float]) -> Axis:
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * (_ROOM - 1) or _ROOM - 1
    top = 1.0 if high <= 1 < high + margin else high + margin
    return Axis(scale.name, max(0.0, low - margin) if low >= 0 else low - margin, top, scale.word)


def _trade(sweep: Sweep) -> Iterator[SweepChart]:
    """Size and time together, where nothing says what quality is left."""
    if quality_of(sweep) is None:
        yield from _against(sweep, "trade", _bytes_of, _relative_time_axis)


def _pareto(sweep: Sweep) -> Iterator[SweepChart]:
    scale = quality_of(sweep)
    if scale is None:
        return

    def axis(values: Sequence[float]) -> Axis:
        return _quality_axis(scale, values)

    name = f"{scale.name} over"
    yield from _scatter(sweep, "quality-time", f"{name} time", _time_of, scale.of, axis)
    yield from _scatter(sweep, "quality-size", f"{name} size", _bytes_of, scale.of, axis)


def _against(
    sweep: Sweep,
    key: str,
    x: Callable[[Sweep, SweepPoint | Rival], float | None],
    axis: Callable[[Sequence[float]], Axis],
) -> Iterator[SweepChart]:
    def time(point: SweepPoint | Rival) -> float | None:
        return _time_of(sweep, point)

    yield from _scatter(sweep, key, "Time over size: down and left is better", x, time, axis)


def _scatter(
    sweep: Sweep,
    key: str,
    title: str,
    x: Callable[[Sweep, SweepPoint | Rival], float | None],
    y: Callable[[SweepPoint | Rival], float | None],
    axis: Callable[[Sequence[float]], Axis],
) -> Iterator[SweepChart]:
    places = [(x(sweep, point), y(point)) for point in sweep.points]
    points = [(a, b) for a, b in places if a is not None and b is not None]
    dots = [
        Dot(rival.name, a, b)
        for rival in sweep.rivals
        if (a := x(sweep, rival)) is not None and (b := y(rival)) is not None
    ]
    if not points:
        return
    sizes = x is _bytes_of
    lines = _by_values(sweep, y) if sizes and key == "trade" else [Series("", "a", tuple(points))]
    right = max([a for line in lines for a, _ in line.points] + [dot.x for dot in dots]) * _ROOM
    chart = Chart(
        title,
        Axis("MiB", 0.0, right, lambda value: f"{value:g}")
        if sizes
        else Axis("time, as a share of the dense model's", 0.0, right, rounded_percent),
        axis([b for _, b in points] + [dot.y for dot in dots]),
        tuple(lines),
        dots=tuple(dots),
    )
    rings = tuple(
        ((place_x(chart, a), place_y(chart, b)),) if a is not None and b is not None else ()
        for a, b in places
    )
    yield SweepChart(key, chart, "", (), rings)


def _by_values(sweep: Sweep, y: Callable[[SweepPoint | Rival], float | None]) -> list[Series]:
    """A line for each kind of numbers, which differ in size and not in time."""
    series = []
    for number, stored in enumerate(sweep.dense.sizes):
        points = tuple(
            (point.size(stored.values).bytes / _MIB, height)
            for point in sweep.points
            if (height := y(point)) is not None
        )
        series.append(Series(str(stored.values), _COLOURS[number % len(_COLOURS)], points))
    return _different(series)


def _different(series: Sequence[Series]) -> list[Series]:
    """Numbers that no weight is stored in give the file of those before them."""
    first = {each.points: each for each in reversed(series)}
    return [each for each in series if first[each.points] is each]


def _relative_time_axis(values: Sequence[float]) -> Axis:
    return Axis("time", 0.0, max(values) * _ROOM, rounded_percent)


def _time_of(sweep: Sweep, point: SweepPoint | Rival) -> float | None:
    targets = (None,) if sweep.measurement is not None else sweep.targets
    return next((share for t in targets if (share := relative_time(point, t)) is not None), None)


def _bytes_of(sweep: Sweep, point: SweepPoint | Rival) -> float | None:
    size = point.bytes if isinstance(point, Rival) else point.size(sweep.values).bytes
    return None if size is None else size / _MIB
