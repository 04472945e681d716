"""A graph at a glance: a strip of all its operators, its clusters, and what stands in the way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.report.html.dispositions import DISPOSITIONS
from tflite_sparse.report.html.svg.element import Svg, element, svg_number
from tflite_sparse.words.numbers import count_of, listing

if TYPE_CHECKING:
    from tflite_sparse.report.html.subject import PageModel, Seen

__all__ = ["strip"]

_WIDTH = 1000
_WIDEST = 40
_STRIP = 46
_TALLEST = 30
_SHORTEST = 8


def strip(model: PageModel, seen: Seen) -> Svg:
    """All operators beside each other in their order: coloured, and the higher the more work.

    Args:
        model: the model.
        seen: how it is seen.
    """
    shown = [n for n in range(len(model.operators)) if not model.operators[n].unpacks]
    most = max((model.operators[n].macs for n in shown), default=0)
    # About as many units as pixels, so that patterns keep their shape.
    bar = min(_WIDEST, max(1, _WIDTH // max(len(shown), 1)))
    gap = min(1, bar / 5)
    bars, marks, lines = [], [], []
    start: int | None = None
    for x, place in enumerate(shown):
        macs = model.operators[place].macs
        height = _SHORTEST + (_TALLEST - _SHORTEST) * math.sqrt(macs / most if most else 0)
        bars.append(
            element(
                "rect",
                x=x * bar,
                y=svg_number(_STRIP - 7 - height),
                width=bar - gap,
                height=svg_number(height),
                class_=f"f-{seen.dispositions[place].value}",
                data_o=place,
            )
        )
        if place in seen.blockers:
            marks.append(element("rect", x=x * bar, y=0, width=bar, height=5, class_="blocker"))
        cluster = seen.clusters[place]
        after = seen.clusters[shown[x + 1]] if x + 1 < len(shown) else None
        start = x if cluster is not None and start is None else start
        if start is not None and after != cluster:
            right = (x + 1 - start) * bar - gap
            kind = "on" if cluster is not None and seen.cluster_list[cluster].sparse else "off"
            lines.append(
                element("rect", x=start * bar, y=_STRIP - 5, width=right, height=4, class_=kind)
            )
            start = None
    return element(
        "svg",
        *bars,
        element("g", *marks, class_="marks"),
        element("g", *lines, class_="lines"),
        viewBox=f"0 0 {_WIDTH if bar == _WIDEST else len(shown) * bar} {_STRIP}",
        preserveAspectRatio="none",
        class_="strip",
        data_bar=bar,
        role="img",
        aria_label=_summary(model, seen),
    )


def _summary(model: PageModel, seen: Seen) -> str:
    counts = [
        f"{seen.count(kind)} {words}"
        for kind, (words, _) in DISPOSITIONS.items()
        if seen.count(kind)
    ]
    return (
        f"{count_of(len(model.operators), 'operator')} in their order: {listing(counts)};"
        f" {count_of(len(seen.blockers), 'operator stands', 'operators stand')} in the way"
    )
