"""Pages about all models in a folder, and one that leads to them."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tflite_sparse.cli.errors import FAILURE, report_problem
from tflite_sparse.cli.folders.each import each_model
from tflite_sparse.cli.folders.mirror import check_free, make_folders, mirrored, models_in
from tflite_sparse.cli.folders.pages import write_page
from tflite_sparse.cli.output import say
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from tflite_sparse.cli.folders.pages import PageOptions
    from tflite_sparse.report.html.index import IndexRow

    Row = tuple[IndexRow, int]

__all__ = ["report_folder"]

_ENDING = ".html"


def report_folder(folder: str, output: str, options: PageOptions, *, force: bool) -> int:
    """Writes a page about each model in a folder, and one with all of them in a table.

    Args:
        folder: the folder; models are looked for in all of it.
        output: the folder of the pages.
        options: what is looked at.
        force: whether pages that are there are overwritten.

    Returns:
        The exit code: 2 where a model could not be read, or is damaged.

    Raises:
        FileError: there is no model, or a page is there already.
    """
    from tflite_sparse.report.html.index import INDEX, index_page

    names = models_in(folder)
    # The whole name is kept: a model may be called "index" too.
    pages = {
        name: path.with_name(f"{path.name}{_ENDING}")
        for name, path in mirrored(output, names).items()
    }
    index = Path(output) / INDEX
    check_free({INDEX: index, **pages}, force=force)

    def row(name: str, path: str) -> Row:
        return _row(name, path, pages[name], options, Path(output), force=force)

    rows = each_model(folder, names, pages, row, _failed)
    make_folders(index)
    title = Path(folder).resolve().name or folder
    write_page(index_page(title, [row for row, _ in rows]), index, fresh=not force)
    say(f"{index}  {count_of(sum(bool(row.href) for row, _ in rows), 'model')}")
    return max(code for _, code in rows)


def _row(
    name: str, path: str, page: Path, options: PageOptions, output: Path, *, force: bool
) -> Row:
    """Writes the page of a model; its row of the index, and its exit code."""
    from tflite_sparse.inspection.survey import CELLS
    from tflite_sparse.model import Model
    from tflite_sparse.report.html import report_page
    from tflite_sparse.report.html.index import index_row, way_back

    within = page.relative_to(output).as_posix()
    model = Model.read(path)
    surveyed = options.survey(path, model, CELLS)
    outlook = options.pruned(model, surveyed)
    text = report_page([surveyed], pruned=[outlook], index=way_back(within))
    write_page(text, page, fresh=not force)
    problems = surveyed.inspection.problems
    for problem in problems:
        report_problem(f"{path}: {problem.place}: {problem.message}")
    return index_row(PurePath(name).as_posix(), within, surveyed), FAILURE if problems else 0


def _failed(name: str, path: str, reason: str) -> Row:
    """The row of a model that has no page, and its exit code."""
    from tflite_sparse.report.html.index import failed_row

    # The folder is that of whoever makes the page, and nothing to the reader.
    words = readable(reason).replace(readable(path), readable(PurePath(name).name))
    return failed_row(PurePath(name).as_posix(), words), FAILURE
