"""What the page of a sweep says: sentences, tables, and what the slider shows at each point."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from tflite_sparse.pruning.options import Allocation, Method
from tflite_sparse.report.html.svg.chart import chart_svg
from tflite_sparse.report.html.svg.element import Svg, element, svg_number
from tflite_sparse.report.html.sweep.charts import quality_of, sweep_charts
from tflite_sparse.report.html.sweep.glossary import glossary
from tflite_sparse.report.html.sweep.measured import measured_cell, measured_gain, measured_head
from tflite_sparse.report.html.sweep.sentences import about, quality_unknown, sentences, where
from tflite_sparse.report.names import common_prefix
from tflite_sparse.rewrite.adapt.outlook import TARGETS as TARGETS_ASKED
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.sweeping.result import BY_SIZE_ALONE
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, rounded_percent, size
from tflite_sparse.words.shell import shell_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.report.html.sweep.charts import SweepChart
    from tflite_sparse.sweeping.result import Rival, Sweep, SweepPoint

__all__ = ["ChartView", "SweepView", "model_name", "sweep_view"]

_STRIP = 40


class ChartView(msgspec.Struct, frozen=True):
    """A chart on the page.

    Attributes:
        title: what it shows.
        picture: it.
        note: what else there is to know; "" for nothing.
    """

    title: str
    picture: Svg
    note: str


class SweepView(msgspec.Struct, frozen=True):
    """The page.

    Attributes:
        name: what to call the model.
        sentences: what the sweep found, most important first.
        about: how zeros came about, in a sentence.
        unknown: that the quality is not known; "" where it is.
        charts: the charts.
        strip: the pruned filters beside each other; each is coloured by the slider.
        heads: headings of the table of points.
        rows: the cells of each point.
        rival_heads: headings of the table of rivals.
        rivals: the cells of each rival.
        notes: what else there is to know.
        glossary: words of the page, and what they mean.
        last: position of the last point.
        start: where the slider stands at first.
        data: what the slider shows, by point.
    """

    name: str
    sentences: tuple[str, ...]
    about: str
    unknown: str
    charts: tuple[ChartView, ...]
    strip: Svg
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rival_heads: tuple[str, ...]
    rivals: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    glossary: tuple[tuple[str, str], ...]
    last: int
    start: int
    data: dict[str, Any]


def sweep_view(sweep: Sweep) -> SweepView:
    """What the page of a sweep says.

    Args:
        sweep: the sweep.
    """
    charts = sweep_charts(sweep)
    return SweepView(
        name=model_name(sweep),
        sentences=tuple(sentences(sweep)),
        about=about(sweep),
        unknown=quality_unknown(sweep),
        charts=tuple(
            ChartView(each.chart.title, chart_svg(each.chart, _label(each)), each.note)
            for each in charts
        ),
        strip=_strip(sweep),
        heads=("zeros", *(f"{s.values}" for s in sweep.dense.sizes), *_time_heads(sweep)),
        rows=tuple(_row(sweep, point) for point in sweep.points),
        rival_heads=("", "size", "after gzip", *_time_heads(sweep)),
        rivals=tuple(_rival(sweep, r) for r in sweep.rivals if r.bytes is not None),
        notes=tuple(f"{note[:1].upper()}{note[1:]}." for note in _notes(sweep)),
        glossary=glossary(sweep),
        last=len(sweep.points) - 1,
        start=_start(sweep),
        data={
            "points": [_point(sweep, point) for point in sweep.points],
            "charts": [
                {
                    "line": [round(x, 1) for x in each.line],
                    "rings": [[[round(x, 1), round(y, 1)] for x, y in r] for r in each.rings],
                }
                for each in charts
            ],
        },
    )


def _notes(sweep: Sweep) -> Iterator[str]:
    """What else there is to know; that quality is unknown stands above."""
    yield from sweep.doubts
    yield from (note for note in sweep.notes if note != BY_SIZE_ALONE)
    for rival in sweep.rivals:
        if rival.bytes is None:
            yield f"{rival.name} is not among them: {rival.note}"
        elif rival.note:
            yield f"{rival.name}: {rival.note}"


def model_name(sweep: Sweep) -> str:
    """What to call the model.

    Args:
        sweep: the sweep.
    """
    return readable(PurePath(sweep.path or "model.tflite").name)


def _label(chart: SweepChart) -> str:
    parts = []
    for series in chart.chart.series:
        if series.points:
            (x, y), (last, end) = series.points[0], series.points[-1]
            word, across = chart.chart.y.word, chart.chart.x.word
            name = f"{series.name}: " if series.name else ""
            parts.append(f"{name}{word(y)} at {across(x)}, {word(end)} at {across(last)}")
    return f"{chart.chart.title}. {'; '.join(parts)}"


def _strip(sweep: Sweep) -> Svg:
    """The filters beside each other, the higher the larger."""
    layers = max((point.layers for point in sweep.points), key=len, default=())
    most = max((layer.elements for layer in layers), default=1)
    prefix = common_prefix([layer.name for layer in layers])
    boxes = []
    for number, layer in enumerate(layers):
        high = 8 + (_STRIP - 8) * (layer.elements / most) ** 0.5
        boxes.append(
            element(
                "rect",
                element("title", layer.name.removeprefix(prefix) or layer.name),
                x=number * 10,
                y=svg_number(_STRIP - high),
                width=9,
                height=svg_number(high),
            )
        )
    return element(
        "svg",
        *boxes,
        viewBox=f"0 0 {max(1, len(layers)) * 10} {_STRIP}",
        preserveAspectRatio="none",
        class_="layers",
        role="img",
        aria_label=count_of(len(layers), "filter"),
    )


def _start(sweep: Sweep) -> int:
    """The point nearest to 80 % zeros, which training reaches with ease."""
    shares = [abs(point.share - 0.8) for point in sweep.points]
    return shares.index(min(shares))


def _point(sweep: Sweep, point: SweepPoint) -> dict[str, Any]:
    sparse = sum(bool(layer.sparse) for layer in point.layers)
    scale = quality_of(sweep)
    facts = [
        ["file", size(point.size(sweep.values).bytes)],
        ["after gzip", size(point.size(sweep.values).gzip)],
    ]
    if point.measured is not None:
        facts.append([measured_head(sweep), measured_gain(point.measured)])
    facts += [[f"{where(t.target)}, estimate", _gain(t.gain)] for t in point.times if t.gain]
    facts += [[f"{where(t.target)}, estimate", _fewer(t.fewer)] for t in point.times if t.fewer]
    if scale is not None:
        score = scale.of(point)
        facts.append([scale.name, "?" if score is None else scale.word(score)])
    elif point.asked is not None:
        facts.append(["quality that is left", "not known"])
    facts.append(["filters that run sparse", f"{sparse} of {len(point.layers)}"])
    return {
        "name": "as it is" if point.asked is None else f"{rounded_percent(point.share)} zeros",
        "facts": facts,
        "layers": "".join("1" if layer.sparse else "0" for layer in point.layers),
        "command": _command(sweep, point),
        "why": point.reason or "",
    }


def _gain(gain: float | None) -> str:
    return "?" if gain is None else f"{gain:.2f} times as fast"


def _fewer(fewer: float | None) -> str:
    return "?" if fewer is None else f"{fewer:.2f} times fewer instructions"


def _command(sweep: Sweep, point: SweepPoint) -> str:
    """What makes the file: `optimize` alone where its --prune says all, else after `prune`."""
    path = PurePath(sweep.path or "model.tflite")
    stem, source, asked = path.stem, shell_word(readable(path.name)), point.asked
    targets = [] if sweep.targets == TARGETS_ASKED else [f"--target {t}" for t in sweep.targets]
    sizes = _sizes(sweep)
    words, first = [], []
    if asked is not None:
        stem += f"_{100 * asked:g}"
        more = _more_than_optimize(sweep)
        if more:
            source, dense = shell_word(readable(f"{stem}_dense.tflite")), source
            first = ["tflite-sparse", "prune", dense, f"--zeros {asked:g}", *more, *targets]
            first += sizes
            first += [*_data(sweep), "-o", source, "&&"]
        else:
            words = [f"--prune {asked:g}", *_data(sweep)]
    if sweep.values is not StoredValues.FP32:
        words.append(f"--values {sweep.values}")
    out = shell_word(readable(f"{stem}_sparse.tflite" if asked is None else f"{stem}.tflite"))
    words += sizes
    return " ".join([*first, "tflite-sparse", "optimize", source, *words, *targets, "-o", out])


def _sizes(sweep: Sweep) -> list[str]:
    """Options that give inputs the sizes that they had here."""
    inputs = () if sweep.input_shapes is None else sweep.input_shapes.inputs
    return [
        f"--input-shape {shlex.quote(readable(entry.name))}={','.join(map(str, entry.shape))}"
        for entry in inputs
        if entry.subgraph == 0
    ]


def _more_than_optimize(sweep: Sweep) -> list[str]:
    """Options of `prune` that say what `optimize --prune` cannot."""
    words = [] if sweep.allocation is Allocation.UNIFORM else [f"--allocate {sweep.allocation}"]
    words += [] if sweep.block == 1 else [f"--block {sweep.block}"]
    # There, data would choose how values are rounded, too.
    rounded = sweep.method is Method.CALIBRATED and sweep.values is StoredValues.INT8
    return words or (["--method calibrated"] if rounded else [])


def _data(sweep: Sweep) -> list[str]:
    return ["--data DATA"] if sweep.method is Method.CALIBRATED else []


def _time_heads(sweep: Sweep) -> Iterator[str]:
    for target in _estimated(sweep):
        yield f"{where(target)}, estimate"
    for target in _counted(sweep):
        yield f"fewer instructions {where(target)}, estimate"
    if sweep.measurement is not None:
        yield measured_head(sweep)
    scale = quality_of(sweep)
    if scale is not None:
        yield scale.name


def _estimated(sweep: Sweep) -> list[str]:
    return [
        target
        for target in sweep.targets
        if any(time.target == target and time.gain for p in sweep.points for time in p.times)
    ]


def _counted(sweep: Sweep) -> list[str]:
    """The targets for which instructions are estimated."""
    return [time.target for time in sweep.dense.times if time.instructions]


def _row(sweep: Sweep, point: SweepPoint) -> tuple[str, ...]:
    name = rounded_percent(point.share) + (" (as it is)" if point.asked is None else "")
    return (name, *(size(stored.bytes) for stored in point.sizes), *_tail(sweep, point))


def _rival(sweep: Sweep, rival: Rival) -> tuple[str, ...]:
    sizes = (rival.bytes, rival.gzip)
    cells = tuple(size(count or 0) for count in sizes)
    return (rival.name, *cells, *_tail(sweep, rival))


def _tail(sweep: Sweep, point: SweepPoint | Rival) -> Iterator[str]:
    gains = {time.target: time.gain for time in point.times}
    for target in _estimated(sweep):
        yield _times(gains.get(target))
    fewer = {time.target: time.fewer for time in point.times}
    for target in _counted(sweep):
        yield _times(fewer.get(target))
    if sweep.measurement is not None:
        yield measured_cell(point.measured)
    scale = quality_of(sweep)
    if scale is not None:
        score = scale.of(point)
        yield "-" if score is None else scale.word(score)


def _times(gain: float | None) -> str:
    return "-" if gain is None else f"{gain:.2f} times"
