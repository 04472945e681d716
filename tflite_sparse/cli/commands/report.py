"""`tflite-sparse report`: everything about models as one HTML page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.errors import FAILURE, report_problem
from tflite_sparse.cli.folders.pages import PageOptions, is_page, write_page
from tflite_sparse.cli.output import free_target, say
from tflite_sparse.cli.paths import find_models
from tflite_sparse.cli.rewriting import STDOUT
from tflite_sparse.cli.targets import targets_of
from tflite_sparse.cli.values import parse_input_shapes
from tflite_sparse.errors import Place, TfliteSparseError, UsageError
from tflite_sparse.words.numbers import size

if TYPE_CHECKING:
    from tflite_sparse.runtime.bench import Bench

__all__ = ["command"]

PAGE, FOLDER = "report.html", "report"


def command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="Files, directories and patterns; several models are shown side by side.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="The page, - for standard output; for a folder of models a folder of pages, unless"
            " it ends in .html.  [default: report.html; report for a folder]",
        ),
    ] = None,
    force: opt.Force = False,
    bench: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Show what 'tflite-sparse bench --json' measured."),
    ] = None,
    target: opt.OnlyTargets = None,
    runtime: opt.Runtimes = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    near: opt.Near = 1e-10,
    gzip: opt.Gzip = None,
) -> int:
    """Write a page about models that opens in any browser: verdict, graph, weights, sizes."""
    options = PageOptions(
        near, gzip, targets_of(target, runtime), parse_input_shapes(input_shape), batch
    )
    folder = models[0] if len(models) == 1 and Path(models[0]).is_dir() else None
    if folder is not None and not is_page(output):
        if bench is not None:
            raise UsageError("--bench is for a single page", hint="give it a name: -o report.html")
        from tflite_sparse.cli.folders.report import report_folder

        return report_folder(folder, output or FOLDER, options, force=force)
    return _one_page(models, output or PAGE, options, bench, force=force)


def _one_page(
    models: list[str], output: str, options: PageOptions, bench: str | None, *, force: bool
) -> int:
    """A page about models, side by side where there are several."""
    from tflite_sparse.comparison.model_diff import diff
    from tflite_sparse.inspection.survey import CELLS
    from tflite_sparse.model import Model
    from tflite_sparse.report.html import report_page

    paths = []
    for path_or_error in find_models(models):
        if isinstance(path_or_error, TfliteSparseError):
            raise path_or_error
        paths.append(str(path_or_error))
    if output != STDOUT:
        _spare(output, [*paths, *([] if bench is None else [bench])])
        free_target(output, force=force)
    measured = None if bench is None else _read_bench(bench)
    opened = [Model.read(path) for path in paths]
    surveys = []
    for path, model in zip(paths, opened, strict=True):
        surveys.append(options.survey(path, model, CELLS // len(paths)))
    damaged = [bool(surveyed.inspection.problems) for surveyed in surveys]
    diffs = [
        None if damaged[0] or damaged[n] else diff(opened[0], opened[n])
        for n in range(1, len(opened))
    ]
    outlooks = [
        options.pruned(model, surveyed) for model, surveyed in zip(opened, surveys, strict=True)
    ]
    _write(report_page(surveys, diffs, measured, outlooks), output, fresh=not force)
    for path, surveyed in zip(paths, surveys, strict=True):
        for problem in surveyed.inspection.problems:
            report_problem(f"{path}: {problem.place}: {problem.message}")
    return FAILURE if any(damaged) else 0


def _spare(output: str, inputs: list[str]) -> None:
    """Makes sure that the page takes the place of nothing that it is made of."""
    target = Path(output)
    if any(target.exists() and Path(name).exists() and target.samefile(name) for name in inputs):
        raise UsageError("the page would replace what it is made of", place=Place(file=output))


def _read_bench(path: str) -> Bench:
    from tflite_sparse.report.json.bench import read_bench

    try:
        text = Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        text = ""
    return read_bench(text, path)


def _write(page: str, output: str, *, fresh: bool) -> None:
    if output == STDOUT:
        sys.stdout.buffer.write(page.encode("utf-8"))
        return
    say(f"{output}  {size(write_page(page, output, fresh=fresh))}")
