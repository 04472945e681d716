"""Rules as Markdown: the pages of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.lint.rule import Rule

__all__ = ["rule_pages", "table_cell"]


_WORDS = "Words such as cluster, entry and DENSIFY are in the [glossary](../glossary.md)."


def rule_pages(rules: Sequence[Rule]) -> dict[str, str]:
    """A page for each rule and an index, by the names of their files."""
    pages = {f"{rule.code}.md": _rule_page(rule) for rule in rules}
    return {"README.md": _index(rules), **pages}


def table_cell(value: str) -> str:
    """Text as a cell of a table."""
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _rule_page(rule: Rule) -> str:
    """The page of a rule in the documentation."""
    lines = [
        f"# {rule.code} {rule.name}",
        "",
        f"Family: {rule.family.label} · severity: {rule.severity.label} · since {rule.since}"
        + (" · fixed by `tflite-sparse lint --fix`" if rule.fixable else ""),
        "",
        "## What it finds",
        "",
        rule.what,
        "",
        "## Why it matters",
        "",
        rule.why,
        "",
        "## How to fix it",
        "",
        rule.fix,
    ]
    if rule.command:
        lines += ["", f"    {rule.command}"]
    lines += ["", _WORDS]
    return "\n".join(lines) + "\n"


def _index(rules: Sequence[Rule]) -> str:
    """The table of all rules."""
    lines = [
        "# Rules",
        "",
        "Made by `tflite-sparse rules --markdown`. `--select TFS2` takes a whole family.",
        _WORDS,
        "",
    ]
    family = None
    for rule in rules:
        if rule.family is not family:
            family = rule.family
            lines += ["", f"## {family.digit}xx {family.label}: {family.about}", ""]
            lines += ["| rule | severity | what it finds |", "|---|---|---|"]
        lines.append(
            f"| [{rule.code} {rule.name}]({rule.code}.md) | {rule.severity.label}"
            f" | {table_cell(rule.what)} |"
        )
    return "\n".join(lines) + "\n"
