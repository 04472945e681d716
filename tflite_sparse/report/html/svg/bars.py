"""Bars: of parts beside each other, of layers on each other, and of a time with its spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.report.html.svg.element import Svg, element, svg_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["layered_bar", "share_bar", "stacked_bar", "time_bar"]

_WIDE = 1000
_HIGH = 24
_THIN = 16


def stacked_bar(parts: Iterable[tuple[str, str, int]], most: int, label: str) -> Svg:
    """A bar of parts.

    Args:
        parts: class, title and amount of each.
        most: the amount that fills the width.
        label: the picture in words.
    """
    x = 0.0
    boxes = []
    for kind, title, amount in parts:
        width = _WIDE * amount / most
        if amount:
            boxes.append(
                element(
                    "rect",
                    element("title", title),
                    x=svg_number(x),
                    width=svg_number(max(width, 0.5)),
                    height=_HIGH,
                    class_=kind,
                )
            )
        x += width
    return _bar(boxes, _HIGH, "stack", label)


def layered_bar(layers: Iterable[tuple[str, int]], most: int, label: str) -> Svg:
    """A bar of layers that begin at the same place, the first at the back.

    Args:
        layers: class and amount of each.
        most: the amount that fills the width.
        label: the picture in words.
    """
    boxes = [
        element("rect", width=svg_number(_WIDE * amount / most), height=_THIN, class_=kind)
        for kind, amount in layers
    ]
    return _bar(boxes, _THIN, "stack thin", label)


def time_bar(kind: str, median: float, spread: tuple[float, float], most: float, label: str) -> Svg:
    """A bar as long as a median, and a line over it for the spread.

    Args:
        kind: class of the bar.
        median: the median.
        spread: where the line begins and ends.
        most: what fills the width.
        label: the picture in words.
    """
    low, high = (_WIDE * value / most for value in spread)
    boxes = [
        element("rect", width=svg_number(_WIDE * median / most), height=_THIN, class_=kind),
        element(
            "rect",
            x=svg_number(low),
            y=7,
            width=svg_number(max(high - low, 1)),
            height=2,
            class_="spread",
        ),
    ]
    return _bar(boxes, _THIN, "stack thin", label)


def share_bar(share: float) -> Svg:
    """A share of a whole; a decoration, which its words say too."""
    return element(
        "svg",
        element("rect", width=100, height=6, class_="track"),
        element("rect", width=svg_number(100 * share), height=6, class_="f-sparse"),
        viewBox="0 0 100 6",
        preserveAspectRatio="none",
        class_="share",
        aria_hidden="true",
    )


def _bar(boxes: Sequence[Svg], height: int, kind: str, label: str) -> Svg:
    return element(
        "svg",
        *boxes,
        viewBox=f"0 0 {_WIDE} {height}",
        preserveAspectRatio="none",
        class_=kind,
        role="img",
        aria_label=label,
    )
