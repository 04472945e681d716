"""The rules of lint as JSON: what `rules` and `rule` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Severity
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.rule import Rule

__all__ = ["RuleEntry", "RulesReport", "rule_entry", "rules_report"]


class RuleEntry(Record, frozen=True):
    """A rule of lint.

    Attributes:
        code: stable code; it never changes its meaning.
        name: stable short name.
        family: the family that its code puts it in.
        severity: how bad a finding is, unless the configuration says otherwise.
        what: what the rule finds.
        why: why it matters, in bytes, milliseconds or wrong numbers.
        fix: how to fix it.
        command: the command that fixes it; None where there is none.
        fixable: whether `lint --fix` does something about it.
        since: the release that brought the rule.
        link: its page in the documentation.
    """

    code: str
    name: str
    family: str
    severity: Severity
    what: str
    why: str
    fix: str
    command: str | None
    fixable: bool
    since: str
    link: str


class RulesReport(Record, frozen=True):
    """The rules of lint.

    Attributes:
        rules: the rules, in the order of their codes.
    """

    rules: tuple[RuleEntry, ...]


def rule_entry(rule: Rule) -> RuleEntry:
    """What there is to say of a rule."""
    return RuleEntry(
        code=rule.code,
        name=rule.name,
        family=rule.family.label,
        severity=rule.severity,
        what=rule.what,
        why=rule.why,
        fix=rule.fix,
        command=rule.command or None,
        fixable=rule.fixable,
        since=rule.since,
        link=rule.link,
    )


def rules_report(rules: Iterable[Rule]) -> RulesReport:
    """What there is to say of rules."""
    return RulesReport(tuple(rule_entry(rule) for rule in rules))
