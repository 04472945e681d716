"""Bars with a name before and a value behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.file.breakdown import PARTS
from tflite_sparse.report.html.svg.bars import stacked_bar
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.words.numbers import size

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bar", "size_bars"]


class Bar(msgspec.Struct, frozen=True):
    """A bar.

    Attributes:
        name: what stands before it.
        picture: the bar; None for a failure, which its value tells.
        value: what stands behind it.
        title: the whole name, where it may be cut; None for none.
    """

    name: str
    picture: Svg | None
    value: str
    title: str | None = None


def size_bars(files: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> tuple[Bar, ...]:
    """A bar for each file on one scale, made of the parts of the file.

    Args:
        files: name of each with its parts as (key of `PARTS`, bytes).
    """
    totals = [sum(count for _, count in parts) for _, parts in files]
    most = max(totals, default=0) or 1
    bars = []
    for (name, parts), total in zip(files, totals, strict=True):
        boxes = [(f"p-{kind}", f"{PARTS[kind]}: {size(count)}", count) for kind, count in parts]
        words = ", ".join(f"{PARTS[kind]} {size(count)}" for kind, count in parts if count)
        bars.append(Bar(name, stacked_bar(boxes, most, f"{name}: {words}"), size(total)))
    return tuple(bars)
