"""The commands, each in a module of its own that is imported only when it is asked for.

A command is a module `tflite_sparse.cli.<module>` with a function `command`, whose docstring is the
help and whose parameters typer turns into arguments and options. It needs one line in `COMMANDS`.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import typer
from typer.main import get_command

from tflite_sparse.cli.parameters import LeanCommand, LeanGroup
from tflite_sparse.cli.usage.help import epilog
from tflite_sparse.words.near import nearest

__all__ = ["COMMANDS", "CONTEXT", "LazyCommands"]

CONTEXT = {"help_option_names": ["-h", "--help"]}
"""Context settings of every command: -h asks for help too."""

COMMANDS = {
    "inspect": "inspect",
    "optimize": "optimize",
    "prune": "prune",
    "sweep": "sweep",
    "adapt": "adapt",
    "sparsify": "sparsify",
    "compress": "compress",
    "densify": "densify",
    "diff": "diff",
    "report": "report",
    "overlay": "overlay",
    "verify": "verify",
    "profile": "profile",
    "bench": "bench",
    "lint": "lint",
    "runtime": "lists.runtime",
    "rules": "lists.rules",
    "rule": "lists.rule",
    "targets": "lists.targets",
}
"""Name of a command -> its module in `tflite_sparse.cli`, in the order of the help."""


class LazyCommands(LeanGroup):
    """A group of commands that imports the module of a command when the command is needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands that this installation has, in the order of the table."""
        del ctx
        return [name for name, module in COMMANDS.items() if _exists(module)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands with their whole summaries, wrapped where they are long."""
        rows = [
            (name, _summary(self.get_command(ctx, name).help)) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was asked for; of a mistyped one, the error says what is meant."""
        try:
            return super().resolve_command(ctx, args)
        except typer.TyperException as error:
            near = nearest(args[0], self.list_commands(ctx))
            if near:
                error.message = f"{error.message.rstrip('.')}; did you mean {near}"
            raise

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, None where there is no such command."""
        module = COMMANDS.get(cmd_name)
        if module is None or not _exists(module):
            return super().get_command(ctx, cmd_name)
        if cmd_name not in self.commands:
            function = importlib.import_module(f"tflite_sparse.cli.commands.{module}").command
            alone = typer.Typer(add_completion=False, rich_markup_mode=self.rich_markup_mode)
            alone.command(
                name=cmd_name, cls=LeanCommand, context_settings=CONTEXT, epilog=epilog(cmd_name)
            )(function)
            command = get_command(alone)
            command.name = cmd_name
            self.commands[cmd_name] = command
        return self.commands[cmd_name]


def _summary(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).rstrip(".")


def _exists(module: str) -> bool:
    return importlib.util.find_spec(f"tflite_sparse.cli.commands.{module}") is not None
