"""Latencies as a picture: an SVG with a bar for each model, for light and for dark ground.

On an emulated processor bars are instructions, of which there is no spread.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tflite_sparse.report.names import shorten
from tflite_sparse.report.text.bench import display_names
from tflite_sparse.words.numbers import count_of, size

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench, BenchedModel

__all__ = ["WIDTH", "bench_svg", "plot_height"]

WIDTH = 720
"""Width of the picture in its units."""

_LEFT, _RIGHT = 24, 150
_TOP, _BOTTOM = 64, 44
_ROW = 58
_BAR = 18
_TICKS = 5
_LONGEST = 64

_STYLE = """
  .ground { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e }
  .grid { stroke: #d1d9e0 } .first { fill: #8c959f } .bar { fill: #0969da }
  .spread { stroke: #1f2328; stroke-width: 1.5; fill: none } .failed { fill: #b42318 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .text { fill: #f0f6fc } .faint { fill: #9198a1 }
    .grid { stroke: #3d444d } .first { fill: #6e7681 } .bar { fill: #4493f8 }
    .spread { stroke: #f0f6fc } .failed { fill: #ff7b72 }
  }
  text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .small { font-size: 12px }
"""


def plot_height(bench: Bench) -> int:
    """Height of the picture in its units."""
    return _TOP + _ROW * len(bench.models) + _BOTTOM


def bench_svg(bench: Bench) -> str:
    """The picture: bars end at the median, lines go from the 10th to the 90th percentile."""
    height = plot_height(bench)
    counted = bench.where == "emulated"
    unit = "M" if counted else "ms"
    measures = [_measured(model) for model in bench.models]
    largest = max((measure[2] for measure in measures if measure), default=0.0) or 1.0
    step = _step(largest)
    scale = (WIDTH - _LEFT - _RIGHT) / largest
    floor = height - _BOTTOM
    title = "Instructions of an inference" if counted else "Time of an inference"
    summary = f"{bench.runtime}, {count_of(bench.threads, 'thread')}, "
    if counted:
        summary += f"{bench.processor}, in millions; instructions are not time"
    else:
        spread = "means of turns" if bench.where == "adb" else count_of(bench.runs, "run")
        summary += f"median of {spread}; lines: 10th to 90th percentile"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">'
        ),
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        _text(_LEFT, 28, "title", title, identity="title"),
        _text(_LEFT, 48, "faint small", summary),
    ]
    for number in range(int(largest / step) + 1):
        x = _LEFT + number * step * scale
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{floor}"/>'
            + _text(x, floor + 18, "faint small", f"{number * step:g} {unit}", anchor="middle")
        )
    names = display_names(bench)
    rows = zip(bench.models, names, measures, strict=True)
    for number, (model, name, measure) in enumerate(rows):
        top = _TOP + number * _ROW
        parts.extend(_row(model, name, measure, top, scale, unit, first=number == 0))
    return "\n".join([*parts, "</svg>", ""])


def _measured(model: BenchedModel) -> tuple[float, float, float] | None:
    """(lower end of the spread, length of the bar, upper end) in the unit; None for a failure."""
    if model.instructions is not None:
        millions = model.instructions / 1e6
        return millions, millions, millions
    if model.median_ms is None or model.p10_ms is None or model.p90_ms is None:
        return None
    return model.p10_ms, model.median_ms, model.p90_ms


def _row(
    model: BenchedModel,
    name: str,
    measure: tuple[float, float, float] | None,
    top: int,
    scale: float,
    unit: str,
    *,
    first: bool,
) -> list[str]:
    label = f"{shorten(name, _LONGEST)}  ({size(model.bytes)})"
    parts = [_text(_LEFT, top + 20, "text", label)]
    y = top + 28
    middle = y + _BAR / 2
    if measure is None:
        status = model.status.replace("-", " ")
        return [*parts, _text(_LEFT, middle + 5, "failed", status)]
    low, length, high = (value * scale for value in measure)
    low, high = _LEFT + low, _LEFT + high
    value = f"{measure[1]:.3g} {unit}"
    if model.ratio is not None and not first:
        value += f" (x {model.ratio:.2f})" if unit == "M" else f" (p10 x {model.ratio:.2f})"
    kind = "first" if first else "bar"
    line = f"M{low:.1f} {middle - 5}v10M{low:.1f} {middle}H{high:.1f}M{high:.1f} {middle - 5}v10"
    spread = [f'<path class="spread" d="{line}"/>'] if low < high else []
    return [
        *parts,
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>',
        *spread,
        _text(high + 10, middle + 5, "text", value),
    ]


def _text(
    x: float, y: float, kind: str, text: str, *, anchor: str = "start", identity: str = ""
) -> str:
    name = f' id="{identity}"' if identity else ""
    kinds = f"{kind} text" if kind == "title" else kind
    return (
        f'<text{name} class="{kinds}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _step(largest: float) -> float:
    """A round distance of grid lines: 1, 2 or 5 times a power of ten."""
    least = largest / _TICKS
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
