"""`tflite-sparse inspect`: what is in a model, and what the runtime will do with its zeros."""

from __future__ import annotations

import enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tflite_sparse.cli import options as opt
from tflite_sparse.cli.errors import FAILURE, as_project_error, report_error, report_problem
from tflite_sparse.cli.output import say, show_lines
from tflite_sparse.cli.paths import find_models
from tflite_sparse.cli.progress import progress_bar
from tflite_sparse.cli.targets import targets_of
from tflite_sparse.cli.values import parse_input_shapes, parse_share, parse_size
from tflite_sparse.errors import TfliteSparseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.inspection.graph_edges import GraphOperator
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.next_step import NextStep
    from tflite_sparse.inspection.weights.selection import Selection
    from tflite_sparse.model import Model
    from tflite_sparse.report.text.headings import Lines
    from tflite_sparse.xnnpack.releases.targets import Target

__all__ = ["Sort", "command"]

_TOP = 20
_FEW_KINDS = 12


class Sort(str, enum.Enum):
    """Orders of weights."""

    BYTES = "bytes"
    ZEROS = "zeros"
    SAVING = "saving"
    NAME = "name"
    ORDER = "order"


def command(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL", help="Files, directories (all *.tflite in them) and patterns."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document for all models.")
    ] = False,
    sort: Annotated[
        Sort | None,
        typer.Option(
            metavar="ORDER",
            help="Order of the weights: bytes, zeros, saving, name or order (of the file)."
            "  [default: bytes; JSON: order]",
        ),
    ] = None,
    op: Annotated[
        list[str] | None,
        typer.Option(
            "--op",
            metavar="OPERATOR",
            help="Only weights of this kind of operator (*, ?), or of the operator of this index.",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="PATTERN", help="Only weights with such a name (*, ?, [...]).")
    ] = "*",
    min_size: Annotated[
        int,
        typer.Option(
            metavar="BYTES", parser=parse_size, help="Only weights of that size or more: 64K."
        ),
    ] = 0,
    min_zeros: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            parser=parse_share,
            help="Only weights with that share of zeros or more: 70%.",
        ),
    ] = 0.0,
    top: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Show that many weights, or blocks of --group; 0: all.  [default: 20; JSON: 0]",
        ),
    ] = None,
    target: opt.OnlyTargets = None,
    weights: Annotated[
        bool,
        typer.Option("--weights", help="Show every weight, the clusters, and what is in the file."),
    ] = False,
    runtime: opt.Runtimes = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show every stage of the runtime for each operator, or for those of --op.",
        ),
    ] = False,
    graph: Annotated[
        bool,
        typer.Option(
            "--graph", help="Draw the operators, what becomes of each, and what is in the way."
        ),
    ] = False,
    group: Annotated[
        bool, typer.Option("--group", help="Sum the weights up by block of the model.")
    ] = False,
    what_if: Annotated[
        list[float] | None,
        typer.Option(
            "--what-if",
            metavar="SHARE",
            parser=parse_share,
            help="Work out what that share of zeros in the 1x1 filters would win: 0.8, 80%.",
        ),
    ] = None,
    input_shape: opt.InputShape = None,
    batch: opt.Batch = None,
    near: opt.Near = 1e-10,
    gzip: opt.Gzip = None,
) -> int:
    """Say what the runtime makes of a model, why, and what to do next."""
    from tflite_sparse.inspection.weights.selection import Selection

    chosen = bool(op) or name != "*" or bool(min_size or min_zeros)
    options = {
        _View.WEIGHTS: weights,
        _View.EXPLAIN: explain,
        _View.GRAPH: graph,
        _View.GROUP: group,
    }
    view = _view(
        [view for view, is_set in options.items() if is_set], as_json=as_json, chosen=chosen
    )
    if what_if and view is not _View.SUMMARY:
        raise UsageError(f"--what-if and {view.value} are two views", hint="ask for one at a time")
    some = chosen or bool(sort) or top is not None
    if what_if and ((some and not as_json) or input_shape or batch is not None):
        raise UsageError("--what-if is for a whole model, of the size in the file; leave one out")
    if view is _View.SUMMARY and some:
        view = _View.WEIGHTS
    everything = as_json or view is _View.GROUP
    selection = Selection(
        sort=(sort.value if sort else "order" if everything else "bytes"),
        operators=tuple(op or ()),
        name=name,
        min_bytes=min_size,
        min_zeros=min_zeros,
        # Of blocks, not of weights, where these are summed up.
        top=0 if view is _View.GROUP else (0 if as_json else _TOP) if top is None else top,
    )
    how = _Options(
        wired=view in {_View.GRAPH, _View.GROUP},
        targets=targets_of(target, runtime),
        near=near,
        gzip=gzip,
        digest=as_json,
        shapes=as_json or explain,
        input_shapes=parse_input_shapes(input_shape),
        batch=batch,
        what_if=tuple(what_if or ()),
    )
    results = _results(find_models(models), selection, how)
    failed = _print_json(results) if as_json else _print_text(results, view, top, bool(what_if))
    return FAILURE if failed else 0


class _View(enum.Enum):
    """What is shown as text, and the option that asks for it."""

    SUMMARY = ""
    WEIGHTS = "--weights"
    EXPLAIN = "--explain"
    GRAPH = "--graph"
    GROUP = "--group"


def _view(asked: list[_View], *, as_json: bool, chosen: bool) -> _View:
    """The one view that was asked for.

    Args:
        asked: the views of the options that are set.
        as_json: whether the output is JSON.
        chosen: whether operators or weights were chosen.
    """
    names = [view.value for view in asked]
    if len(asked) > 1:
        raise UsageError(f"{names[0]} and {names[1]} are two views", hint="ask for one at a time")
    if as_json and set(asked) & {_View.GRAPH, _View.GROUP}:
        raise UsageError(f"{names[0]} is a view of the text", hint="leave it or --json out")
    if chosen and _View.GRAPH in asked:
        raise UsageError(
            "--graph shows every operator, chosen or not",
            hint="--explain shows those of --op alone",
        )
    return asked[0] if asked else _View.SUMMARY


class _Result(NamedTuple):
    """What was found in a file, or the error that stopped it."""

    path: str
    inspected: Inspection | TfliteSparseError
    operators: tuple[GraphOperator, ...] = ()
    step: NextStep | None = None


class _Options(NamedTuple):
    wired: bool
    targets: tuple[Target, ...] | None
    near: float
    gzip: bool | None
    digest: bool
    shapes: bool
    input_shapes: dict[str, tuple[int, ...]]
    batch: int | None
    what_if: tuple[float, ...]


def _results(
    paths: list[str | TfliteSparseError], selection: Selection, options: _Options
) -> Iterator[_Result]:
    """What was found in each file."""
    for path in paths:
        if isinstance(path, TfliteSparseError):
            yield _Result(path.place.file or "", path)
            continue
        try:
            with progress_bar(path) as progress:
                inspection, operators = _inspect(path, options, progress)
        except (TfliteSparseError, OSError, MemoryError, RecursionError) as error:
            yield _Result(path, as_project_error(error, path))
        else:
            from tflite_sparse.inspection.next_step import next_step
            from tflite_sparse.inspection.weights.selection import select, unmatched

            for pattern in unmatched(inspection, selection):
                kinds = ", ".join(kind.name for kind in inspection.file.operators[:_FEW_KINDS])
                there = f"it has {kinds}" if kinds else "it has none"
                line = f"tflite-sparse: {path}: no operator matches --op {pattern!r}; {there}"
                typer.echo(line, err=True)
            step = next_step(inspection)
            yield _Result(path, select(inspection, selection), operators, step)


def _inspect(
    path: str, options: _Options, progress: Callable[[int, int], None]
) -> tuple[Inspection, tuple[GraphOperator, ...]]:
    from tflite_sparse.inspection.graph_edges import graph_edges
    from tflite_sparse.inspection.inspector import inspect
    from tflite_sparse.model import Model

    model = Model.read(path)
    inspection = inspect(
        model,
        near=options.near,
        digest=options.digest,
        gzip=options.gzip,
        shapes=options.shapes,
        targets=options.targets,
        progress=progress,
        input_shapes=options.input_shapes,
        batch=options.batch,
    )
    if options.what_if and not inspection.problems:
        inspection = _with_shares(model, inspection, options)
    return inspection, graph_edges(model) if options.wired else ()


def _with_shares(model: Model, inspection: Inspection, options: _Options) -> Inspection:
    """The inspection with what the shares of zeros that were asked for would win."""
    import msgspec

    from tflite_sparse.pruning.curve import pruning_curve

    names = tuple(target.name for target in options.targets or ())
    curve = pruning_curve(model, sorted(set(options.what_if)), names)
    return msgspec.structs.replace(inspection, what_if=() if curve is None else curve.if_pruned())


def _print_json(results: Iterator[_Result]) -> bool:
    from tflite_sparse.report.json.documents import document, dump
    from tflite_sparse.report.json.inspection import InspectReport, unread

    entries = []
    failed = False
    for result in results:
        failed |= _report(result.path, result.inspected)
        entries.append(
            unread(result.path, result.inspected)
            if isinstance(result.inspected, TfliteSparseError)
            else result.inspected
        )
    typer.echo(dump(document(InspectReport(tuple(entries)))))
    return failed


def _print_text(results: Iterator[_Result], view: _View, top: int | None, asked: bool) -> bool:
    failed = printed = False
    for result in results:
        if not isinstance(result.inspected, TfliteSparseError):
            if printed:
                say()
            show_lines(partial(_lines, result.inspected, result, view, top or 0, asked=asked))
            printed = True
        failed |= _report(result.path, result.inspected)
    return failed


def _lines(
    inspection: Inspection, result: _Result, view: _View, top: int, width: int, *, asked: bool
) -> Lines:
    from tflite_sparse.report.text.inspection import (
        graph_report_lines,
        inspection_lines,
        summary_lines,
    )

    if view is _View.SUMMARY and result.step is not None:
        return summary_lines(inspection, result.step, width, what_if=asked)
    if view is _View.GRAPH:
        return graph_report_lines(inspection, result.operators, width, step=result.step)
    if view is _View.GROUP:
        return inspection_lines(
            inspection, width, blocks=result.operators, top=top, step=result.step
        )
    return inspection_lines(inspection, width, explain=view is _View.EXPLAIN, step=result.step)


def _report(path: str, result: Inspection | TfliteSparseError) -> bool:
    """Prints what is wrong on stderr; says whether anything is."""
    if isinstance(result, TfliteSparseError):
        report_error(result)
        return True
    for problem in result.problems:
        report_problem(f"{path}: {problem.place}: {problem.message}")
    return bool(result.problems)
