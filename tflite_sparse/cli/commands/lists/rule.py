"""`tflite-sparse rule`: explains one rule of lint."""

from __future__ import annotations

from typing import Annotated

import typer

from tflite_sparse.cli.output import say
from tflite_sparse.cli.usage import complete

__all__ = ["command"]


def command(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE", autocompletion=complete.rules, help="Code or name of the rule."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Explain a rule of lint: what it finds, why it matters, how to fix it."""
    from tflite_sparse.lint.rule import find_rule
    from tflite_sparse.report.lint.rule_text import rule_text

    rule = find_rule(code)
    if as_json:
        from tflite_sparse.report.json.documents import dump
        from tflite_sparse.report.json.rules import rule_entry

        typer.echo(dump(rule_entry(rule).to_dict()))
        return
    say(rule_text(rule))
