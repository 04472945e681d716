"""`tflite-sparse rules`: lists the rules of lint."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated

import typer

from tflite_sparse.cli.output import say

__all__ = ["command"]


def command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write a page for each rule and an index to a folder."),
    ] = None,
) -> None:
    """List the rules of lint."""
    from tflite_sparse.lint.rule import all_rules

    rules = all_rules()
    if markdown is not None:
        from tflite_sparse.files.output import replacing
        from tflite_sparse.report.lint.rule_pages import rule_pages

        markdown.mkdir(parents=True, exist_ok=True)
        for name, text in rule_pages(rules).items():
            with replacing(markdown / name) as file:
                file.write(text.encode())
        say(f"{len(rules)} rules written to {markdown}")
    elif as_json:
        from tflite_sparse.report.json.documents import document, dump
        from tflite_sparse.report.json.rules import rules_report

        typer.echo(dump(document(rules_report(rules))))
    else:
        from tflite_sparse.report.lint.rule_text import rules_text

        say(rules_text(rules))
