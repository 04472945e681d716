"""Looking at models: what is in them, what differs, whether they run, what lint says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflite_sparse.comparison.model_diff import diff as _diff
from tflite_sparse.errors import FileError, Place
from tflite_sparse.files.remote import require_files
from tflite_sparse.inspection.inspection import Inspection
from tflite_sparse.inspection.inspector import inspect as _inspect
from tflite_sparse.library.models import opened
from tflite_sparse.records import VIEWS
from tflite_sparse.xnnpack.releases.targets import Target, target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tflite_sparse.comparison.diff_types import ModelDiff
    from tflite_sparse.library.models import ModelLike
    from tflite_sparse.lint.run import LintRun

__all__ = ["diff", "inspect", "lint_models", "write_report"]


def _page(inspection: Any) -> str:
    from tflite_sparse.report.html.notebook import notebook_view

    return notebook_view(inspection)


VIEWS[Inspection] = _page


def inspect(
    model: ModelLike,
    *,
    near: float = 1e-10,
    gzip: bool | None = None,
    targets: Iterable[str | Target] | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    batch: int | None = None,
) -> Inspection:
    """Everything that the tool knows about a model.

    Args:
        model: the model, or what `read` makes one of.
        near: bound of magnitude for near zeros.
        gzip: whether sizes after gzip are computed; None for models up to 4 MiB.
        targets: the targets, or their names; None for all.
        input_shapes: the shapes of inputs that leave sizes open, by name, "" for the only one.
        batch: the first dimension where the file leaves it open.

    Raises:
        ModelError: the model is damaged beyond telling.
        UsageError: there is no such target.
    """
    asked = None if targets is None else [target(name) for name in targets]
    return _inspect(
        opened(model), near=near, gzip=gzip, targets=asked, input_shapes=input_shapes, batch=batch
    )


def diff(before: ModelLike, after: ModelLike) -> ModelDiff:
    """What differs between two models.

    Args:
        before: a model, or what `read` makes one of.
        after: the model to hold against it.
    """
    return _diff(opened(before), opened(after))


def lint_models(*paths: str | os.PathLike[str], processes: int = 1, **keys: Any) -> LintRun:
    """Checks models before a release.

    Args:
        paths: the files.
        processes: how many processes do it.
        keys: keys of the configuration, such as `select=["TFS3"]` or
            `budgets={"max-size": "4 MiB"}`.

    Returns:
        The findings, and a report for each file.

    Raises:
        UsageError: there is no such key, its value makes no sense, or a path is none.
    """
    from tflite_sparse.lint.config.config import config_of
    from tflite_sparse.lint.run import lint_files, make_run

    require_files("lint_models", *paths)
    config = config_of({name.replace("_", "-"): value for name, value in keys.items()})
    work = [(os.fspath(path), config.settings(os.fspath(path))) for path in paths]
    return make_run(lint_files(work, processes=processes))


def write_report(
    target: str | os.PathLike[str], *models: ModelLike, overwrite: bool = False
) -> int:
    """Writes the page about models that opens in any browser.

    Args:
        target: where to write.
        models: a model or several, the first of which the others are compared with.
        overwrite: whether a file that is there is replaced.

    Returns:
        The number of bytes written.

    Raises:
        FileError: the file is there already, or cannot be written.
    """
    from tflite_sparse.files.output import replacing
    from tflite_sparse.inspection.survey import survey
    from tflite_sparse.report.html import report_page
    from tflite_sparse.report.html.pruned import pruned

    if Path(target).is_file() and not overwrite:
        raise FileError(
            "the file exists already",
            place=Place(file=os.fspath(target)),
            hint="overwrite=True replaces it",
        )
    read_models = [opened(model) for model in models]
    surveys = [survey(model) for model in read_models]
    page = report_page(
        surveys,
        [_diff(read_models[0], model) for model in read_models[1:]],
        pruned=[pruned(m, each.inspection) for m, each in zip(read_models, surveys, strict=True)],
    )
    with replacing(target) as file:
        return file.write(page.encode())
