"""What becomes of an exception: one line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from tflite_sparse.cli.signals import exit_code, stoppable
from tflite_sparse.cli.streams import abandon
from tflite_sparse.errors import FileError, Place, TfliteSparseError
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEBUG",
    "FAILURE",
    "INTERRUPTED",
    "PROGRAM",
    "as_project_error",
    "guard",
    "one_line",
    "report_error",
    "report_note",
    "report_problem",
]

PROGRAM = "tflite-sparse"
"""Name of the program in its messages."""

DEBUG = "TFLITE_SPARSE_DEBUG"
"""Environment variable: 1 shows tracebacks."""

FAILURE = 2
"""Exit code of bad input, bad usage and everything that stopped a command."""

INTERRUPTED = 130
_BROKEN_PIPE = 141


def guard(call: Callable[[], object]) -> int:
    """Runs a program and turns whatever it raises into a line on stderr and an exit code.

    Args:
        call: the program; an int that it returns is the exit code.

    Returns:
        The exit code: 0, what the program asked for, or 2, 130 and 141 for an error, an interrupt
        and a reader that has gone away.
    """
    with stoppable() as signals:
        code = _run(call)
        # typer answers an interrupt with this code, too.
        if code == INTERRUPTED:
            _say(f"{PROGRAM}: interrupted")
            code = exit_code(signals[0]) if signals else code
        try:
            sys.stdout.flush()
        except OSError as error:
            abandon(sys.stdout)
            # One complaint is enough.
            return code if code == FAILURE else _not_written(error)
    return code


def _run(call: Callable[[], object]) -> int:
    try:
        answer = call()
    except typer.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except typer.TyperException as error:
        return _usage(error)
    except (BrokenPipeError, SystemExit) as error:
        # typer ends by itself then, with the code of a check that has failed.
        gone = error if isinstance(error, OSError) else error.__context__
        if not isinstance(gone, BrokenPipeError):
            raise
        abandon(sys.stdout)
        return _not_written(gone)
    except Exception as error:  # noqa: BLE001 - whatever it is, a user gets no traceback
        return report_error(error)
    return answer if isinstance(answer, int) else 0


def _not_written(error: OSError) -> int:
    # Whoever reads no further has what they wanted.
    return _BROKEN_PIPE if isinstance(error, BrokenPipeError) else report_error(error)


def report_error(error: BaseException) -> int:
    """Prints one error as one line on stderr.

    Returns:
        The exit code that belongs to it.
    """
    if os.environ.get(DEBUG) == "1":
        import traceback

        traceback.print_exception(error)
    report_problem(one_line(error))
    return getattr(error, "exit_code", FAILURE) if isinstance(error, TfliteSparseError) else FAILURE


def report_problem(message: str) -> None:
    """Prints what is wrong as one line on stderr."""
    # A folder that is searched has files of any name.
    _say(f"{PROGRAM}: error: {readable(message)}")


def report_note(message: str) -> None:
    """Prints what a user may want to know, and what changes nothing, as one line on stderr."""
    _say(f"{PROGRAM}: note: {readable(message)}")


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the output
    except OSError:
        # Where nothing can be said, the exit code must do.
        abandon(sys.stderr)


def as_project_error(error: BaseException, path: str) -> TfliteSparseError:
    """An error as one of the project's own that names the file."""
    if isinstance(error, TfliteSparseError):
        return error.at(file=path)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
    return FileError(reason, place=Place(file=path))


def one_line(error: BaseException) -> str:
    """The message of an error as a user should read it, in one line."""
    if isinstance(error, TfliteSparseError):
        text = str(error)
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
        text = f"{error.filename}: {reason}" if error.filename else reason
    elif isinstance(error, MemoryError):
        text = "not enough memory"
    elif isinstance(error, RecursionError):
        text = "the model is nested too deeply"
    else:
        text = (
            f"internal error, {type(error).__name__}: {error};"
            f" this is a bug, {DEBUG}=1 shows where it is"
        )
    return readable(" ".join(text.split()))


def _usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    where = context.command_path if context else PROGRAM
    text = " ".join(error.format_message().split()).rstrip(".")
    # Words of pydantic, by which newer releases of typer check values.
    text = text.replace(": Value error, ", ": ", 1)
    _say(f"{PROGRAM}: error: {text}; see '{where} -h'")
    return FAILURE
