"""`tflite-sparse rules`: lists the rules of lint."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated

import typer

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
    from tflite_sparse.report.lint.markdown import rule_page, rules_index

    rules = all_rules()
    if markdown is not None:
        from tflite_sparse.files.output import replacing

        markdown.mkdir(parents=True, exist_ok=True)
        pages = {"README.md": rules_index(rules)}
        pages |= {f"{rule.code}.md": rule_page(rule) for rule in rules}
        for name, text in pages.items():
            with replacing(markdown / name) as file:
                file.write(text.encode())
        typer.echo(f"{len(rules)} rules written to {markdown}")
        return
    if as_json:
        from tflite_sparse.report.json.documents import document, dump
        from tflite_sparse.report.json.rules import rules_report

        typer.echo(dump(document(rules_report(rules))))
        return
    family = None
    for rule in rules:
        if rule.family is not family:
            family = rule.family
            typer.echo(f"{family.digit}xx {family.label}: {family.about}")
        typer.echo(f"  {rule.code}  {rule.severity.label:8} {rule.name}")
