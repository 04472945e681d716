"""What more zeros would win, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.inspection import gain
from tflite_sparse.report.text.headings import Lines, labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.numbers import count_of, rounded_percent, size
from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from tflite_sparse.inspection.if_pruned_types import IfPruned
    from tflite_sparse.inspection.inspection import Inspection

__all__ = ["gain_words", "if_pruned_lines"]

_FEW = 12
_NONE = (
    "No 1x1 convolution would run sparse, however many zeros there were;"
    " 'tflite-sparse optimize --dry-run' says what stands in the way."
)


def if_pruned_lines(inspection: Inspection, width: int, *, asked: bool = False) -> Lines:
    """The gain, the size and the filters to prune for each share of zeros.

    Args:
        inspection: what is known of the model.
        width: the room for a line in characters.
        asked: whether somebody asked for it, and is told where there is nothing to win.
    """
    from rich.text import Text

    points = inspection.what_if
    if not points:
        words = wrapped(_NONE, max(20, width - 4)) if asked else []
        return [Text("  If pruned", "bold")] * asked + [Text(f"    {row}") for row in words]
    title = "  If pruned" if points[0].worked_out else "  If pruned, by an estimate"
    columns = [Column("zeros", right=True), Column("", gives_way=True), Column("size", right=True)]
    columns.append(Column("to prune"))
    rows = [
        [rounded_percent(p.zeros), gain_words(p), f"{size(p.size)}", f"{_filters(p)}"]
        for p in points
    ]
    lines: Lines = [Text(title, "bold"), *table(columns, rows, width, 4)[1:]]
    if points[0].filters:
        lines += labelled("  Filters", list(points[0].filters), width, 0 if asked else _FEW)
    return lines


def gain_words(point: IfPruned) -> str:
    """How much faster, in a few words.

    Args:
        point: what a share of zeros would win.
    """
    if point.times is None:
        return "no estimate"
    if point.worked_out and point.times <= 1:
        return f"no faster {gain.where_words(point.target)}"
    bound = "up to " if point.at_most else ""
    return f"{bound}{gain.gain_words(point.times, point.target, counted=point.counted)}"


def _filters(point: IfPruned) -> str:
    # What is worked out prunes those of wider convolutions too, which become sums of 1x1 ones.
    return count_of(point.layers, "filter" if point.worked_out else "1x1 filter")
