"""The picture of a graph: for which targets, the strip, the legend, the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.report.html.dispositions import DISPOSITIONS
from tflite_sparse.report.html.svg.element import Svg
from tflite_sparse.report.html.svg.strip import strip
from tflite_sparse.report.html.views.operators import OperatorList, operator_list
from tflite_sparse.words.numbers import count_of, listing, millions

if TYPE_CHECKING:
    from tflite_sparse.report.html.subject import PageModel

__all__ = ["GraphView", "LegendEntry", "graph_view"]


class LegendEntry(msgspec.Struct, frozen=True):
    """A disposition in the legend.

    Attributes:
        key: what it is called in classes and in the script.
        words: what people call it.
        meaning: what it means.
        count: how many operators have it.
    """

    key: str
    words: str
    meaning: str
    count: int


class GraphView(msgspec.Struct, frozen=True):
    """The graph of a model.

    Attributes:
        targets: names of the targets that are alike, for each choice of targets.
        strip: all operators at a glance.
        legend: the dispositions that occur.
        blockers: how many operators stand in the way.
        unpacking: words for the operators that only unpack weights; None where there are none.
        operators: the operators as a list.
        most_work: multiply-adds that the longest bar of work stands for; "" for none.
    """

    targets: tuple[str, ...]
    strip: Svg
    legend: tuple[LegendEntry, ...]
    blockers: int
    unpacking: str | None
    operators: OperatorList
    most_work: str


def graph_view(model: PageModel) -> GraphView:
    """The graph of a model, as its first targets see it."""
    seen = model.seen[0]
    hidden = sum(op.unpacks for op in model.operators)
    unpacking = (
        f"show {count_of(hidden, 'operator')} that only"
        f" {'unpacks' if hidden == 1 else 'unpack'} weights"
    )
    names = [[target.name for target in other.view.targets] for other in model.seen]
    most_work = max((op.macs for op in model.operators), default=0)
    return GraphView(
        tuple(map(", ".join, names)) if len(names) > 1 else (listing(names[0]),),
        strip(model, seen),
        tuple(
            LegendEntry(kind.value, words, meaning, seen.count(kind))
            for kind, (words, meaning) in DISPOSITIONS.items()
            if any(other.count(kind) for other in model.seen)
        ),
        len(seen.blockers),
        unpacking if hidden else None,
        operator_list(model, seen),
        millions(most_work) if most_work else "",
    )
