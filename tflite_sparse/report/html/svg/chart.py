"""Line charts: a few series over one scale, named where they end, over levels to hold against."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.svg.element import Svg, element, svg_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Axis",
    "Chart",
    "Dot",
    "Level",
    "Series",
    "chart_svg",
    "place_x",
    "place_y",
]

WIDTH, HEIGHT = 460, 300
"""Size of a chart in its units, about pixels."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 100, 16, 42
_APART = 15
_LETTER = 6.3
_HALF = 6
"""Half the size of a point by itself: nearer ones cover each other."""
_TICKS = 5


class Axis(msgspec.Struct, frozen=True):
    """An axis.

    Attributes:
        title: what it measures.
        low: where it begins.
        high: where it ends.
        word: a number of it in words.
    """

    title: str
    low: float
    high: float
    word: Callable[[float], str]


class Series(msgspec.Struct, frozen=True):
    """A line.

    Attributes:
        name: what stands at its end.
        kind: class of its colour.
        points: its points by rising x.
        dotted: whether only its points are drawn.
        step: where between two points it falls at once, after it was level; None for nowhere.
    """

    name: str
    kind: str
    points: tuple[tuple[float, float], ...]
    dotted: bool = False
    step: float | None = None


class Level(msgspec.Struct, frozen=True):
    """A line from side to side to hold others against.

    Attributes:
        name: what stands at its end.
        y: where it is.
    """

    name: str
    y: float


class Dot(msgspec.Struct, frozen=True):
    """A point by itself, with its name beside it.

    Attributes:
        name: its name.
        x: where it is.
        y: likewise.
    """

    name: str
    x: float
    y: float


class Chart(msgspec.Struct, frozen=True):
    """A chart.

    Attributes:
        title: what it shows.
        x: the axis to the right.
        y: the axis upwards.
        series: the lines.
        levels: what they are held against.
        dots: points by themselves.
        limit: where something begins on the axis to the right, and its name; None for nothing.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    levels: tuple[Level, ...] = ()
    dots: tuple[Dot, ...] = ()
    limit: tuple[float, str] | None = None


def chart_svg(chart: Chart, label: str, width: int | None = None) -> Svg:
    """The chart as SVG with text, whose colours are those of the page.

    Args:
        chart: what to draw.
        label: the chart in words, for those who do not see it.
        width: its width in units of what is around it; None leaves that to a style sheet.
    """
    return element(
        "svg",
        *_grid(chart),
        *_limit(chart),
        *_levels(chart),
        *_lines(chart),
        *_dots(chart),
        *_names(chart),
        element("line", y1=_TOP, y2=HEIGHT - _BOTTOM, class_="here", x1=-9, x2=-9),
        element("g", class_="rings"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=width,
        height=None if width is None else width * HEIGHT // WIDTH,
        class_="chart",
        role="img",
        aria_label=label,
    )


def place_x(chart: Chart, value: float) -> float:
    """Where a value stands in a chart."""
    low, high = chart.x.low, chart.x.high
    return _LEFT + (value - low) / ((high - low) or 1) * (WIDTH - _LEFT - _RIGHT)


def place_y(chart: Chart, value: float) -> float:
    """Where a value stands in a chart, from above."""
    low, high = chart.y.low, chart.y.high
    return HEIGHT - _BOTTOM - (value - low) / ((high - low) or 1) * (HEIGHT - _TOP - _BOTTOM)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from one to the other, some five."""
    rough = (high - low) / _TICKS
    if rough <= 0:
        return [low]
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _grid(chart: Chart) -> Iterator[Svg]:
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    for value in ticks(chart.y.low, chart.y.high):
        y = svg_number(place_y(chart, value))
        yield element("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid")
        yield element(
            "text", chart.y.word(value), x=_LEFT - 8, y=y, dy=4, class_="tick", text_anchor="end"
        )
    for value in ticks(chart.x.low, chart.x.high):
        x = svg_number(place_x(chart, value))
        yield element("line", x1=x, x2=x, y1=floor, y2=floor + 4, class_="grid")
        yield element(
            "text", chart.x.word(value), x=x, y=floor + 18, class_="tick", text_anchor="middle"
        )
    middle = svg_number((_LEFT + right) / 2)
    yield element(
        "text", chart.x.title, x=middle, y=HEIGHT - 6, class_="tick", text_anchor="middle"
    )


def _limit(chart: Chart) -> Iterator[Svg]:
    if chart.limit is None:
        return
    value, name = chart.limit
    x = place_x(chart, value)
    yield element(
        "rect",
        x=_LEFT,
        y=_TOP,
        width=svg_number(x - _LEFT),
        height=HEIGHT - _TOP - _BOTTOM,
        class_="under",
    )
    if name:
        yield element(
            "text",
            name,
            x=svg_number(x - 6),
            y=HEIGHT - _BOTTOM - 8,
            class_="tick",
            text_anchor="end",
        )


def _levels(chart: Chart) -> Iterator[Svg]:
    for level in chart.levels:
        y = svg_number(place_y(chart, level.y))
        yield element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="level")


def _lines(chart: Chart) -> Iterator[Svg]:
    for series in chart.series:
        places = [
            (svg_number(place_x(chart, x)), svg_number(place_y(chart, y))) for x, y in series.points
        ]
        if not series.dotted:
            corners = (
                (svg_number(place_x(chart, x)), svg_number(place_y(chart, y)))
                for x, y in _stepped(series)
            )
            path = "M" + "L".join(f"{x} {y}" for x, y in corners)
            yield element("path", d=path, class_=f"line s-{series.kind}")
        for x, y in places:
            yield element("circle", cx=x, cy=y, r=3, class_=f"dot d-{series.kind}")


def _stepped(series: Series) -> list[tuple[float, float]]:
    """The corners of a line: its points, and those of its step, from which it goes on straight."""
    corners, at = list(series.points), series.step
    place = next((n for n, (x, _) in enumerate(corners) if at is not None and x > at), 0)
    if at is None or not place:
        return corners
    left, (x, y), *after = corners[place - 1 :]
    foot = y
    if after:
        (beyond, end), *_ = after
        foot = y + (y - end) * (x - at) / ((beyond - x) or 1)
    foot = sorted((y, foot, left[1]))[1]
    return [*corners[:place], (at, left[1]), (at, foot), *corners[place:]]


def _dots(chart: Chart) -> Iterator[Svg]:
    """The points by themselves; those in one place share a name, and no name covers another."""
    together: dict[tuple[float, float], list[str]] = {}
    for dot in chart.dots:
        x, y = place_x(chart, dot.x), place_y(chart, dot.y)
        near = (place for place in together if math.dist(place, (x, y)) < _HALF)
        place = next(near, (float(round(x)), float(round(y))))
        together.setdefault(place, []).append(dot.name)
    taken = [(x - 7.0, x + 7.0, y + 4.0) for x, y in together]
    for series in chart.series:
        places = [(place_x(chart, x), place_y(chart, y)) for x, y in series.points]
        taken += [(x - 4, x + 4, y + 4) for x, y in places]
    for (x, y), names in together.items():
        yield element("path", d=f"M{x:g} {y - _HALF:g}l6 6l-6 6l-6 -6z", class_="rival")
        name = ", ".join(names)
        start, below = _beside(x, y, len(name) * _LETTER, taken)
        taken.append((start, start + len(name) * _LETTER, below))
        yield element("text", name, x=svg_number(start), y=svg_number(below), class_="name n-rival")


def _beside(
    x: float, y: float, width: float, taken: Sequence[tuple[float, float, float]]
) -> tuple[float, float]:
    """Where a name beside a place begins, and its base line."""
    offers = [
        (start, y + 4 + line * _APART)
        for line in (0, 1, -1, 2, -2, 3, -3)
        for start in (x + 10, x - 10 - width)
        if start >= _LEFT and start + width <= WIDTH
    ]
    free = (
        (start, below)
        for start, below in offers
        if all(
            start > right or start + width < left or abs(below - other) >= _APART
            for left, right, other in taken
        )
    )
    return next(free, (offers or [(x + 10, y + 4)])[0])


def _names(chart: Chart) -> Iterator[Svg]:
    """The names at the right, apart from each other."""
    named = [
        (place_y(chart, series.points[-1][1]), series.name, series.kind)
        for series in chart.series
        if series.points and series.name
    ]
    named += [(place_y(chart, level.y), level.name, "rival") for level in chart.levels]
    named.sort()
    places = _apart([y for y, _, _ in named])
    for y, (_, name, kind) in zip(places, named, strict=True):
        yield element(
            "text", name, x=WIDTH - _RIGHT + 8, y=svg_number(y + 4), class_=f"name n-{kind}"
        )


def _apart(wanted: Sequence[float]) -> list[float]:
    """Places at least a line apart, as near to where they are wanted as that allows."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + _APART) if places else y)
    below = HEIGHT - _BOTTOM + 4.0
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], below)
        below = places[index] - _APART
    return places
