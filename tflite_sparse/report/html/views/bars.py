"""Bars with a name before and a value behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.inspection.file.breakdown import PARTS
from tflite_sparse.report.html.svg.bars import stacked_bar
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.words.numbers import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Bar", "size_bars", "size_scale", "ticks"]

_STEPS = 4


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


def size_scale(counts: Iterable[int]) -> tuple[str, ...]:
    """What stands under bars of sizes.

    Args:
        counts: bytes of each bar.
    """
    return ticks(max(counts, default=0), lambda count: size(round(count)))


def ticks(most: float, words: Callable[[float], str]) -> tuple[str, ...]:
    """What stands under bars from nothing to all of the width; nothing where all is zero.

    Args:
        most: the amount that fills the width.
        words: an amount in words.
    """
    if not most:
        return ()
    return ("0", *(words(most * step / _STEPS) for step in range(1, _STEPS + 1)))
