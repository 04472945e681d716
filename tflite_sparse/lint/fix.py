"""Fixes what is safe to fix: each fixer keeps what the model computes, and its result is linted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.lint.engine import lint_subject
from tflite_sparse.lint.finding import Finding
from tflite_sparse.lint.fixers.cleanup import (
    align_buffers,
    drop_tensors,
    empty_buffers,
    raise_version,
    share_buffers,
)
from tflite_sparse.lint.fixers.storage import (
    mend_heads,
    store_dense,
    store_larger_dense,
    store_sparse,
)
from tflite_sparse.lint.rule import all_rules
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from tflite_sparse.lint.fixers.fixer import Fixer
    from tflite_sparse.lint.settings import Settings

__all__ = ["TURNS", "FixReport", "fix"]

TURNS: tuple[tuple[Fixer, ...], ...] = (
    # Weights stay sparse where the graph can be repaired, so that is tried first.
    (mend_heads,),
    (store_dense,),
    (store_larger_dense,),
    (store_sparse,),
    # A tensor that goes leaves a buffer behind, and a buffer that others share is not dead.
    (share_buffers, drop_tensors, empty_buffers, raise_version, align_buffers),
)
"""The fixers in the order in which they work. The model is written and linted again after each
turn; those of one turn work on the same model, because of the same findings."""


class FixReport(msgspec.Struct, frozen=True):
    """What was fixed in a file.

    Attributes:
        path: the file.
        steps: what was done, one sentence each; empty where there was nothing to do.
        size_before: bytes of the file before.
        size_after: bytes after.
        content: the new file; None where nothing has changed.
        remaining: what a second look finds.
        error: the error that stopped it; the file is then as it was.
    """

    path: str
    steps: tuple[str, ...] = ()
    size_before: int = 0
    size_after: int = 0
    content: bytes | None = None
    remaining: tuple[Finding, ...] = ()
    error: str | None = None


def fix(path: str, settings: Settings) -> FixReport:
    """Fixes what can be fixed in a file, in memory; nothing is written.

    Args:
        path: the model.
        settings: what the configuration asks for this file; only enabled rules are fixed.
    """
    try:
        return _fix(path, settings)
    except TfliteSparseError as error:
        return FixReport(path, error=str(error.at(file=path)))


def _fix(path: str, settings: Settings) -> FixReport:
    subject = Subject(path, settings)
    before = subject.model.size
    findings = lint_subject(subject)
    content: bytes | None = None
    steps: list[str] = []
    for turn in TURNS:
        work = [(fixer, named) for fixer in turn if (named := _findings_of(fixer, findings))]
        if not work:
            continue
        model = Model.read(path) if content is None else Model.read(content, path)
        attempts = [fixer.apply(model, named) for fixer, named in work]
        repairs = [repair for repair in attempts if repair is not None]
        if not repairs:
            continue
        steps += [repair.message for repair in repairs]
        content = repairs[-1].content or model.to_bytes()
        findings = lint_subject(Subject(path, settings, content))
    if content is None:
        return FixReport(path, (), before, before, None, tuple(findings))
    return FixReport(path, tuple(steps), before, len(content), content, tuple(findings))


def _findings_of(fixer: Fixer, findings: list[Finding]) -> list[Finding]:
    """The findings of all rules that name a fixer, but for those that ask for something else."""
    asked = {rule.code: rule.fix for rule in all_rules() if fixer in rule.fixers}
    return [finding for finding in findings if asked.get(finding.code) == finding.fix]
