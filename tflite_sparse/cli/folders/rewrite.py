"""A rewrite of all models in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from tflite_sparse.cli.errors import FAILURE, report_problem
from tflite_sparse.cli.folders.each import each_model
from tflite_sparse.cli.folders.mirror import check_apart, check_free, mirrored, models_in
from tflite_sparse.cli.output import show
from tflite_sparse.cli.rewriting import STDOUT
from tflite_sparse.errors import UsageError
from tflite_sparse.report.json.folder import FolderEntry
from tflite_sparse.report.json.rewrite import RewriteReport
from tflite_sparse.report.printables import printable_folder
from tflite_sparse.report.text.lists.folder import ModelRow, gain_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tflite_sparse.cli.rewriting import Destination, Rewritten

__all__ = ["rewrite_folder"]


def rewrite_folder(
    folder: str, destination: Destination, one: Callable[[str, Destination], Rewritten]
) -> int:
    """Rewrites each model in a folder and says in a table what came of them.

    A model that fails is told at once and does not keep the others from being rewritten.

    Args:
        folder: the folder; models are looked for in all of it.
        destination: where the results go: to a folder that mirrors it, or in place.
        one: rewrites a model.

    Returns:
        The worst of the exit codes of the models.

    Raises:
        UsageError: the options make no sense for a folder.
        FileError: there is no model, or a result would overwrite a file.
    """
    if destination.output == STDOUT:
        raise UsageError(f"{folder} is a folder", hint="-o FOLDER takes the results")
    elsewhere = destination.output is not None and not destination.in_place
    names = models_in(folder, once=not elsewhere)
    targets: dict[str, Path] = {}
    if elsewhere:
        check_apart(folder, str(destination.output))
        targets = mirrored(str(destination.output), names)
        if not destination.only_tells:
            check_free(targets, force=destination.force)
    else:
        # What the options lack is lacking for each of the models.
        destination.target(folder)

    def row(name: str, path: str) -> ModelRow:
        target = targets.get(name)
        where = destination if target is None else replace(destination, output=str(target))
        return _row(name, path, where, one(path, where))

    rows = each_model(folder, names, {} if destination.only_tells else targets, row, _failed)
    written = None if destination.only_tells else destination.output or folder
    report = printable_folder(folder, rows, written=written)
    show(report, as_json=destination.as_json)
    return max(row.entry.exit_code for row in rows)


def _failed(name: str, path: str, reason: str) -> ModelRow:
    return ModelRow(name, "error, see below", FolderEntry(path, FAILURE, reason, None))


def _row(name: str, path: str, destination: Destination, done: Rewritten) -> ModelRow:
    if done.result is None:
        report_problem(f"{path}: {done.refused}")
        return ModelRow(name, "pruned too far", FolderEntry(path, done.code, done.refused, None))
    # Of a model only what is said of it is kept: there may be many.
    content = done.report.content() if destination.as_json else None
    report = content if isinstance(content, RewriteReport) else None
    gain = None if done.broken else gain_of(done.result)
    if done.broken:
        fate = "broken"
    elif gain is not None:
        fate = "sparse"
    elif done.result.changed:
        fate = "dense, smaller"
    else:
        fate = "left as it is"
    if done.proof is not None and done.proof.verified:
        fate += ", verified"
    entry = FolderEntry(path, done.code, f"it {done.broken}" if done.broken else None, report)
    return ModelRow(name, fate, entry, done.sizes, gain)
