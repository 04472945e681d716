"""The command `tflite-sparse`: what all its commands have in common."""

from __future__ import annotations

import functools
import sys
from typing import Annotated, Any

import typer
from typer.main import get_command

from tflite_sparse._version import __version__
from tflite_sparse.cli.errors import FAILURE, PROGRAM, guard
from tflite_sparse.cli.registry import CONTEXT, LazyCommands
from tflite_sparse.cli.streams import prepare_streams
from tflite_sparse.cli.usage.help import address
from tflite_sparse.cli.usage.verbosity import reset

__all__ = ["app", "run"]

app = typer.Typer(
    name=PROGRAM,
    cls=LazyCommands,
    context_settings=CONTEXT,
    # Plain help: calm, complete at 80 columns, and without the cost of rich.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=(
        "A model is a .tflite file. Exit codes: 0 fine, 1 a check has failed, 2 an error."
        f"\n\nBegin with: {PROGRAM} inspect model.tflite\n\n{address('getting-started.md')}"
    ),
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Make sparse TensorFlow Lite models real: inspect, sparsify, prove and lint them."""
    del version


def run(arguments: list[str] | None = None) -> None:
    """Runs the program and leaves the process with its exit code.

    Args:
        arguments: what the user wrote after the program's name; `sys.argv` when None.
    """
    prepare_streams()
    reset()
    words = sys.argv[1:] if arguments is None else arguments
    sys.exit(guard(lambda: _answer(words)))


@functools.cache
def _group() -> Any:
    # Called as a function, the app makes all its commands anew, from the signatures of functions.
    return get_command(app)


def _answer(words: list[str]) -> object:
    # Whoever says nothing is shown what could be said, and has not been served.
    code = _group()(words or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    return code if words else FAILURE
