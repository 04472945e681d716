"""How much a command says: -q nothing but errors, -v what it does and how long that takes."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import typer
from typer.main import get_command

__all__ = ["add_options", "is_quiet", "is_verbose", "reset"]

_ASKED: dict[str, bool] = {}


def reset() -> None:
    """Forgets what an earlier command was asked for."""
    _ASKED.clear()


def is_quiet() -> bool:
    """Whether only errors are to be told."""
    return _ASKED.get("quiet", False)


def is_verbose() -> bool:
    """Whether each step is to be told."""
    return _ASKED.get("verbose", False)


def add_options(command: Any) -> None:
    """Gives a command the options that say how much it says.

    Args:
        command: one of typer's commands.
    """
    command.params += _options()


def _remember(option: typer.CallbackParam, value: bool) -> None:
    _ASKED[str(option.name)] = value


def _declared(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_remember,
            help="Say nothing but errors; JSON and files are written all the same.",
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            callback=_remember,
            help="Tell on stderr what is done, and how long each step takes.",
        ),
    ] = False,
) -> None:
    del quiet, verbose


@cache
def _options() -> list[Any]:
    """The options as typer makes them of a function; the functions of commands do not get them."""
    app = typer.Typer(add_completion=False)
    app.command()(_declared)
    command: Any = get_command(app)
    for option in command.params:
        option.expose_value = False
    return list(command.params)
