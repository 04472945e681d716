"""`tflite-sparse runtime`: installs, lists and removes runtimes that run beside this machine's."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from tflite_sparse.cli.output import show
from tflite_sparse.cli.usage import complete
from tflite_sparse.errors import UsageError

__all__ = ["command"]


class Action(str, Enum):
    """What to do."""

    INSTALL = "install"
    LIST = "list"
    REMOVE = "remove"


def command(
    action: Annotated[Action, typer.Argument(help="Whether to install, list or remove.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            autocompletion=complete.runtimes,
            help="What to install or remove, such as arm64.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> int:
    """Install, list or remove runtimes: LiteRT for emulated Arm, LiteRT.js, older releases."""
    from tflite_sparse.report.printables import printable_runtimes
    from tflite_sparse.runtime.packages.bundles import bundle, bundles, install, remove, state

    if action is Action.LIST and names:
        raise UsageError("list takes no names", hint="it lists all that can be installed")
    if action is not Action.LIST and not names:
        installable = ", ".join(each.name for each in bundles())
        raise UsageError(f"say what to {action.value}", hint=f"there are: {installable}")
    chosen = [bundle(name) for name in names or ()] or list(bundles())
    for each in chosen:
        if action is Action.INSTALL:
            install(each)
        elif action is Action.REMOVE:
            remove(each)
    show(printable_runtimes([state(each) for each in chosen]), as_json=as_json)
    return 0
