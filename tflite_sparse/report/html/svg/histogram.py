"""How many channels of a weight have how many zeros, small enough for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection.weights.zero_maps import BINS
from tflite_sparse.report.html.svg.element import Svg, element, svg_number
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from tflite_sparse.inspection.weights.zero_maps import ZeroMap

__all__ = ["HISTOGRAM_WIDTH", "histogram"]

HISTOGRAM_WIDTH = 60
"""Width of the picture in its units, and of the bars beside it."""

_HIGH = 18


def histogram(zero_map: ZeroMap) -> Svg:
    """The histogram of a map of zeros."""
    most = max(zero_map.histogram)
    step = HISTOGRAM_WIDTH / BINS
    # A bin that holds anything shows.
    bars = (
        (svg_number(n * step), svg_number(max(1.5, _HIGH * count / most)))
        for n, count in enumerate(zero_map.histogram)
        if count
    )
    lines = "".join(f"M{x} {_HIGH}v-{tall}h{step - 0.5:g}V{_HIGH}z" for x, tall in bars)
    label = (
        f"{count_of(zero_map.rows, 'channel')} with {100 * zero_map.least:.0f} to"
        f" {100 * zero_map.most:.0f} % zeros"
    )
    return element("svg", element("path", d=lines), class_="spark", role="img", aria_label=label)
