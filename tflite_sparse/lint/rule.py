"""Rules as objects in one registry."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator

import msgspec

from tflite_sparse.errors import UsageError
from tflite_sparse.lint.finding import Hit, Severity
from tflite_sparse.lint.fixers.fixer import Fixer
from tflite_sparse.lint.subject import Subject
from tflite_sparse.words.addresses import DOCS
from tflite_sparse.words.near import did_you_mean
from tflite_sparse.xnnpack.explain.rules import rule as runtime_rule

__all__ = ["FIX", "Family", "Rule", "all_rules", "find_rule", "matching", "rule"]

_Check = Callable[[Subject], Iterator[Hit]]

PREFIX = "TFS"

FIX = "tflite-sparse lint --fix MODEL"
"""The command for what no other command fixes."""


class Family(enum.Enum):
    """The families of rules, by the first digit of their codes."""

    FORMAT = ("1", "format", "the sparse encoding and the data that it describes")
    SAFETY = ("2", "runtime safety", "loads that fail, wrong numbers, aborts")
    SPEED = ("3", "speed", "what keeps a pruned model from running sparse")
    SIZE = ("4", "size", "bytes that need not be there")
    PORTABILITY = ("5", "portability", "where the model does not run, or not as it should")
    BUDGET = ("6", "budgets", "limits that the configuration sets")

    @property
    def digit(self) -> str:
        """First digit of the codes."""
        return self.value[0]

    @property
    def label(self) -> str:
        """Name for people."""
        return self.value[1]

    @property
    def about(self) -> str:
        """What the rules of the family are about."""
        return self.value[2]


class Rule(msgspec.Struct, frozen=True, eq=False):
    """A rule.

    Attributes:
        code: stable code; it never changes its meaning.
        name: stable short name.
        severity: how bad a finding is, unless the configuration says otherwise.
        what: what the rule finds.
        why: why it matters, in bytes, milliseconds or wrong numbers.
        fix: how to fix it.
        command: the command that fixes it, "" where there is none; MODEL in it is the file, OUT
            the result in its place, and such as INT8_MODEL one beside it.
        fixers: what `lint --fix` does about it; each is tried in its turn, see `fix.TURNS`.
        since: the release that brought the rule.
        check: finds the places.
    """

    code: str
    name: str
    severity: Severity
    what: str
    why: str
    fix: str
    check: _Check
    command: str = ""
    fixers: tuple[Fixer, ...] = ()
    since: str = "0.1.0"

    def reports(self, code: str) -> bool:
        """Whether it is this rule that tells of a rule of the runtime."""
        return runtime_rule(code).lint == self.code

    @property
    def fixable(self) -> bool:
        """Whether `lint --fix` does something about it."""
        return bool(self.fixers)

    @property
    def family(self) -> Family:
        """The family that its code puts it in."""
        return next(f for f in Family if self.code[len(PREFIX)] == f.digit)

    @property
    def advice(self) -> str:
        """What to do, with the command that does it."""
        return f"{self.fix} Command: {self.command}" if self.command else self.fix

    @property
    def link(self) -> str:
        """Its page in the documentation."""
        return f"{DOCS}/rules/{self.code}.md"


_REGISTRY: dict[str, Rule] = {}


def rule(
    code: str,
    name: str,
    severity: Severity,
    *,
    what: str,
    why: str,
    fix: str,
    command: str = "",
    fixers: tuple[Fixer, ...] = (),
    since: str = "0.1.0",
) -> Callable[[_Check], Rule]:
    """Registers a rule whose check is the function that follows; see `Rule` for the arguments."""

    def register(check: _Check) -> Rule:
        if code in _REGISTRY or any(other.name == name for other in _REGISTRY.values()):
            raise AssertionError(f"rule {code} {name} is registered twice")
        registered = Rule(code, name, severity, what, why, fix, check, command, fixers, since)
        _REGISTRY[code] = registered
        return registered

    return register


def all_rules() -> tuple[Rule, ...]:
    """All rules in the order of their codes."""
    import tflite_sparse.lint.rules  # noqa: F401 - importing the modules registers the rules

    return tuple(_REGISTRY[code] for code in sorted(_REGISTRY))


def find_rule(name: str) -> Rule:
    """The rule of a code or name, in any case.

    Raises:
        UsageError: there is no such rule.
    """
    for candidate in all_rules():
        if name.upper() == candidate.code or name.lower() == candidate.name:
            return candidate
    raise UsageError(
        f"there is no rule {name!r}", hint=f"{_meant(name)}'tflite-sparse rules' lists them"
    )


def _meant(name: str) -> str:
    return did_you_mean(name, [rule.name for rule in all_rules()])


def matching(patterns: Iterable[str]) -> frozenset[str]:
    """The codes that patterns choose: a code, a name, a prefix of a code, or "ALL".

    Raises:
        UsageError: a pattern chooses nothing.
    """
    chosen: set[str] = set()
    for pattern in patterns:
        text = pattern.strip().upper()
        if text[:1].isdigit():
            text = PREFIX + text
        codes = {
            candidate.code
            for candidate in all_rules()
            if text == "ALL" or candidate.code.startswith(text) or candidate.name == pattern.lower()
        }
        if not codes or not text:
            raise UsageError(
                f"{pattern!r} chooses no rule",
                hint=f"{_meant(text)}'tflite-sparse rules' lists codes and names",
            )
        chosen |= codes
    return frozenset(chosen)
