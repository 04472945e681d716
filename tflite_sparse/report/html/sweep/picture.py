"""The charts of a sweep as one picture for slides, with colours of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.svg.chart import HEIGHT, WIDTH, chart_svg
from tflite_sparse.report.html.svg.element import Svg, element
from tflite_sparse.report.html.sweep.charts import sweep_charts
from tflite_sparse.report.html.sweep.view import model_name

if TYPE_CHECKING:
    from tflite_sparse.sweeping.result import Sweep

__all__ = ["picture_size", "sweep_svg"]

_GAP, _HEAD, _TITLE = 36, 56, 26
_COLUMNS = 2

_STYLE = """
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1b2024 }
.title { font-size: 20px; font-weight: 650 } .heading { font-size: 14px; font-weight: 600 }
.ground { fill: #ffffff } .tick { fill: #5a636b; font-size: 11.5px } .grid { stroke: #dfe3e2 }
.under { fill: #f2f4f3 } .level { stroke: #5a636b; stroke-dasharray: 4 4 }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round } .here { display: none }
.dot { stroke: #ffffff; stroke-width: 1.2 }
.rival { fill: #ffffff; stroke: #5a636b; stroke-width: 2 }
.name { font-weight: 600 } .n-rival { fill: #5a636b; font-weight: 500 }
.s-a, .s-quality { stroke: #0b7f5c } .s-b { stroke: #5470a6 } .s-c { stroke: #d26a00 }
.s-d { stroke: #8b4a9e } .d-a, .n-a, .d-quality { fill: #0b7f5c } .d-b, .n-b { fill: #5470a6 }
.d-c { fill: #d26a00 } .n-c { fill: #8a5200 } .d-d, .n-d { fill: #8b4a9e }
.d-measured { fill: #1b2024 }
"""


def picture_size(sweep: Sweep) -> tuple[int, int]:
    """Width and height of the picture in its units.

    Args:
        sweep: what a sweep found.
    """
    count = len(sweep_charts(sweep))
    columns = min(_COLUMNS, max(1, count))
    lines = -(-count // _COLUMNS)
    return columns * (WIDTH + _GAP) + _GAP, _HEAD + lines * (HEIGHT + _TITLE + _GAP)


def sweep_svg(sweep: Sweep) -> str:
    """The charts beside each other as one SVG.

    Args:
        sweep: what a sweep found.
    """
    width, height = picture_size(sweep)
    placed = []
    for number, each in enumerate(sweep_charts(sweep)):
        row, column = divmod(number, _COLUMNS)
        x = _GAP + column * (WIDTH + _GAP)
        y = _HEAD + row * (HEIGHT + _TITLE + _GAP)
        title = element("text", each.chart.title, y=12, class_="heading")
        picture = element(
            "g", chart_svg(each.chart, each.chart.title, WIDTH), transform=f"translate(0 {_TITLE})"
        )
        placed.append(element("g", title, picture, transform=f"translate({x} {y})"))
    return element(
        "svg",
        element("style", Svg(_STYLE)),
        element("rect", class_="ground", width=width, height=height),
        element("text", model_name(sweep), x=_GAP, y=34, class_="title"),
        *placed,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
    )
