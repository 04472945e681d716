"""Rules for people, as `rules` and `rule` tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.rule import Rule

__all__ = ["rule_text", "rules_text"]


def rules_text(rules: Iterable[Rule]) -> str:
    """A line for each rule, under its family."""
    lines = []
    family = None
    for rule in rules:
        if rule.family is not family:
            family = rule.family
            lines.append(f"{family.digit}xx {family.label}: {family.about}")
        lines.append(f"  {rule.code}  {rule.severity.label:8} {rule.name}")
    return "\n".join(lines)


def rule_text(rule: Rule, width: int = 80) -> str:
    """All that there is to say of a rule."""
    head = f"{rule.code} {rule.name}"
    about = f"{rule.family.label}, {rule.severity.label}, since {rule.since}"
    if rule.fixable:
        about += ", fixed by lint --fix"
    lines = [head, about]
    for title, body in (("What", rule.what), ("Why", rule.why), ("Fix", rule.fix)):
        lines += ["", *wrapped(f"{title}: {body}", width, rest="  ")]
    if rule.command:
        lines += ["", f"  {rule.command}"]
    return "\n".join([*lines, "", rule.link])
