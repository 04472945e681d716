"""What a rewrite did to all models in a folder, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.report.text.headings import Lines, heading, labelled
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of, percent, size
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from tflite_sparse.report.json.folder import FolderEntry
    from tflite_sparse.rewrite.changes import Rewrite
    from tflite_sparse.rewrite.writing.sizes import Sizes

__all__ = ["ModelRow", "folder_lines", "gain_of"]


class ModelRow(NamedTuple):
    """A model of the table.

    Attributes:
        name: its path within the folder.
        fate: what came of it, in few words.
        entry: the same for programs.
        sizes: of the files before and after; None where it was not rewritten.
        gain: how many times as fast as dense it is by the estimate, in a browser; None where it
            runs dense.
    """

    name: str
    fate: str
    entry: FolderEntry
    sizes: Sizes | None = None
    gain: float | None = None


def gain_of(result: Rewrite) -> float | None:
    """How many times as fast as dense a model is by the estimate; None where it runs dense."""
    outlooks = () if result.adaptation is None else result.adaptation.outlook
    for view in outlooks:
        if view.after is Outcome.SPARSE and view.dense_ms and view.after_ms:
            return view.dense_ms / view.after_ms
    return None


def folder_lines(folder: str, rows: Sequence[ModelRow], written: str | None, width: int) -> Lines:
    """A line a model, and what there is to say of all.

    Args:
        folder: the folder that was read.
        rows: the models.
        written: where the results are; None where nothing was written.
        width: the room for a line in characters.
    """
    from rich.text import Text

    columns = [
        Column("model", gives_way=True, style="bold"),
        Column("before", right=True),
        Column("after", right=True),
        Column("faster", right=True),
        Column("what came of it"),
    ]
    lines: Lines = [heading(folder, count_of(len(rows), "model"), width)]
    lines += table(columns, [_cells(row) for row in rows], width)
    lines += [Text(), *_totals(rows, width)]
    failed = [(row.name, row.entry.path, row.entry.error) for row in rows if row.entry.error]
    for name, path, error in failed:
        words = readable(error.removeprefix(f"{path}: "))
        lines += labelled(readable(name), [words], width, style="red")
    if written is None:
        lines += labelled("Dry run", ["nothing written"], width)
    else:
        lines += labelled("Written", [written], width)
    return lines


def _cells(row: ModelRow) -> list[str]:
    if row.sizes is None:
        return [readable(row.name), "", "", "", row.fate]
    return [
        readable(row.name),
        size(row.sizes.before),
        size(row.sizes.after),
        "" if row.gain is None else f"{row.gain:.1f} x",
        row.fate,
    ]


def _totals(rows: Sequence[ModelRow], width: int) -> Iterator[Text]:
    sizes = [row.sizes for row in rows if row.sizes is not None]
    before, after = sum(s.before for s in sizes), sum(s.after for s in sizes)
    if sizes:
        change = f"{size(before)} to {size(after)}, {percent(after, before)} of it"
        yield from labelled("Installed", [change], width)
    if any(row.gain for row in rows):
        words = "times as fast as dense, estimated for a browser (wasm)"
        yield from labelled("Faster", [words], width)
