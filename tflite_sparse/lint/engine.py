"""Runs the rules over a file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import EncodingError, ModelError, TfliteSparseError
from tflite_sparse.lint.finding import Finding
from tflite_sparse.lint.pasted import pasted
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model.sizes.sized import input_shapes_of, size_options
from tflite_sparse.records import Record
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.lint.finding import Hit
    from tflite_sparse.lint.rule import Rule
    from tflite_sparse.lint.settings import Settings

__all__ = ["FileReport", "lint", "lint_subject"]

_OPTIMIZE = "tflite-sparse optimize"
# Commands that do not do away with their finding where the model leaves height or width open.
_NEED_SIZES = {f"{_OPTIMIZE} MODEL -o OUT", f"{_OPTIMIZE} --batch 1 MODEL -o OUT"}


class FileReport(Record, frozen=True):
    """What came of linting one file.

    Attributes:
        path: the file, as the user named it.
        findings: what was found, in the order of the graph.
        error: the error that stopped it, as one line; None where the file was read.
        checked: codes of the rules and names of the budgets that the file was held against.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    checked: frozenset[str] = frozenset()


def lint(path: str, settings: Settings) -> FileReport:
    """Lints one file; an unreadable file is a report too.

    Args:
        path: the model.
        settings: what the configuration asks for this file.
    """
    checked = settings.enabled | settings.budgets.keys()
    try:
        return FileReport(path, tuple(lint_subject(Subject(path, settings))), checked=checked)
    except TfliteSparseError as error:
        return FileReport(path, error=str(error.at(file=path)))


def lint_subject(subject: Subject) -> list[Finding]:
    """The findings of all enabled rules on a model, in order.

    Raises:
        TfliteSparseError: a rule needs something that cannot be read.
    """
    findings = [
        _finding(rule, hit, subject)
        for rule in all_rules()
        if rule.code in subject.settings.enabled
        for hit in _hits(rule, subject)
    ]
    findings.sort(key=lambda finding: finding.sort_key)
    # Findings of one rule at one place are told apart by their number.
    seen: Counter[tuple[str, ...]] = Counter()
    numbered = []
    for finding in findings:
        key = finding.identity
        numbered.append(msgspec.structs.replace(finding, occurrence=seen[key]))
        seen[key] += 1
    return numbered


def _hits(rule: Rule, subject: Subject) -> Iterator[Hit]:
    try:
        yield from rule.check(subject)
    except (EncodingError, ModelError):
        # The rules of family 1xx tell what is wrong with the data; the others cannot look at it.
        return


def _finding(rule: Rule, hit: Hit, subject: Subject) -> Finding:
    return Finding(
        rule.code,
        rule.name,
        subject.settings.severities.get(rule.code, hit.severity or rule.severity),
        # Rules quote names, which may hold anything.
        readable(hit.message),
        subject.path,
        hit.spot,
        hit.fix or rule.fix,
        hit.data or {},
        _pasted(_command(rule, hit), hit, subject),
    )


def _pasted(template: str, hit: Hit, subject: Subject) -> str:
    command = pasted(template, readable(subject.path), hit.spot)
    if template not in _NEED_SIZES or not input_shapes_of(subject.model).chosen:
        return command
    rest = command.removeprefix(_OPTIMIZE).removeprefix(" --batch 1")
    return f"{_OPTIMIZE} {size_options(subject.model)}{rest}"


def _command(rule: Rule, hit: Hit) -> str:
    if hit.command is not None:
        return hit.command
    return rule.command if hit.fix is None else ""
