"""`tflite-sparse inspect`: what is in a model, and what the runtime will do with its zeros."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tflite_sparse.cli._errors import FAILURE, as_project_error, report_error, report_problem
from tflite_sparse.cli._paths import find_models
from tflite_sparse.cli._progress import progress_bar
from tflite_sparse.cli._values import parse_share, parse_size
from tflite_sparse.errors import TfliteSparseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tflite_sparse.inspection import Inspection, Selection
    from tflite_sparse.xnnpack import Target

__all__ = ["Sort", "command"]

_TOP = 20


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
        int, typer.Option(metavar="BYTES", parser=parse_size, help="Only weights as large: 64K.")
    ] = 0,
    min_zeros: Annotated[
        float,
        typer.Option(metavar="SHARE", parser=parse_share, help="Only weights as sparse: 70%."),
    ] = 0.0,
    top: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Show that many weights, 0 for all.  [default: 20; JSON: 0]"
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="TARGET",
            help="Only what happens on this kind of processor, such as arm64; may be repeated."
            "  [default: all]",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show every stage of the runtime for each operator, or for those of --op.",
        ),
    ] = False,
    near: Annotated[
        float, typer.Option(metavar="BOUND", min=0.0, help="Bound of magnitude for near zeros.")
    ] = 1e-10,
    gzip: Annotated[
        bool | None,
        typer.Option(help="Compute sizes after gzip.  [default: for models up to 32 MiB]"),
    ] = None,
) -> int:
    """Say what is in a model: its weights, their zeros, and what sparse storage would save."""
    from tflite_sparse.inspection import Selection

    selection = Selection(
        sort=(sort.value if sort else "order" if as_json else "bytes"),
        operators=tuple(op or ()),
        name=name,
        min_bytes=min_size,
        min_zeros=min_zeros,
        top=(0 if as_json else _TOP) if top is None else top,
    )
    options = _Options(
        targets=_targets(target),
        near=near,
        gzip=gzip,
        digest=as_json,
        shapes=as_json or explain,
    )
    results = _results(find_models(models), selection, options)
    failed = _print_json(results) if as_json else _print_text(results, explain=explain)
    return FAILURE if failed else 0


@dataclass(frozen=True, slots=True)
class _Options:
    targets: tuple[Target, ...] | None
    near: float
    gzip: bool | None
    digest: bool
    shapes: bool


def _targets(names: list[str] | None) -> tuple[Target, ...] | None:
    if not names:
        return None
    from tflite_sparse.xnnpack import target

    return tuple(target(name) for name in dict.fromkeys(names))


def _results(
    paths: list[str | TfliteSparseError],
    selection: Selection,
    options: _Options,
) -> Iterator[tuple[str, Inspection | TfliteSparseError]]:
    """Each path with what was found, or with the error that stopped it."""
    for path in paths:
        if isinstance(path, TfliteSparseError):
            yield path.place.file or "", path
            continue
        try:
            with progress_bar(path) as progress:
                found = _inspect(path, options, progress)
        except (TfliteSparseError, OSError, MemoryError, RecursionError) as error:
            yield path, as_project_error(error, path)
        else:
            from tflite_sparse.inspection import select

            yield path, select(found, selection)


def _inspect(path: str, options: _Options, progress: Callable[[int, int], None]) -> Inspection:
    from tflite_sparse.inspection import inspect
    from tflite_sparse.model import Model

    return inspect(
        Model.read(path),
        near=options.near,
        digest=options.digest,
        gzip=options.gzip,
        shapes=options.shapes,
        targets=options.targets,
        progress=progress,
    )


def _print_json(results: Iterator[tuple[str, Inspection | TfliteSparseError]]) -> bool:
    from tflite_sparse.report.json import dump, envelope, error_entry, inspection_entry

    entries = []
    failed = False
    for path, result in results:
        failed |= _report(path, result)
        entries.append(
            error_entry(path, result)
            if isinstance(result, TfliteSparseError)
            else inspection_entry(result)
        )
    typer.echo(dump(envelope(entries)))
    return failed


def _print_text(
    results: Iterator[tuple[str, Inspection | TfliteSparseError]], *, explain: bool
) -> bool:
    from tflite_sparse.report.console import make_console
    from tflite_sparse.report.text import inspection_lines

    console = make_console()
    failed = printed = False
    for path, result in results:
        if not isinstance(result, TfliteSparseError):
            if printed:
                console.print()
            for line in inspection_lines(result, console.width, explain=explain):
                console.print(line, overflow="ignore", no_wrap=True, crop=False)
            printed = True
        failed |= _report(path, result)
    return failed


def _report(path: str, result: Inspection | TfliteSparseError) -> bool:
    """Prints what is wrong on stderr; says whether anything is."""
    if isinstance(result, TfliteSparseError):
        report_error(result)
        return True
    for problem in result.problems:
        report_problem(f"{path}: {problem.place}: {problem.message}")
    return bool(result.problems)
