"""Findings that are accepted: they pass, new ones fail, and those that are gone are told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.lint.finding import Finding
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Baseline", "BaselineEntry", "Comparison"]


class BaselineEntry(Record, frozen=True):
    """A finding that is accepted.

    Attributes:
        file: name of the model's file, without folders.
        fingerprint: the same for the same rule and place, whatever their indices.
        code: code of the rule.
        message: what is wrong, for people.
    """

    file: str
    fingerprint: str
    code: str
    message: str


class Comparison(Record, frozen=True):
    """Findings against a baseline.

    Attributes:
        new: findings that the baseline does not know, in order.
        known: how many findings it knows.
        fixed: entries of the baseline that were not found again, of the files that were linted.
    """

    new: tuple[Finding, ...]
    known: int
    fixed: tuple[BaselineEntry, ...]


class Baseline(Record, frozen=True):
    """Accepted findings, as their file holds them.

    Attributes:
        baseline_version: version of the format.
        findings: the accepted findings.
    """

    baseline_version: Literal[1]
    findings: tuple[BaselineEntry, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Baseline:
        """The baseline that accepts these findings; in any order they give the same one."""
        entries = [
            BaselineEntry(
                Path(finding.path).name, finding.fingerprint, finding.code, finding.message
            )
            for finding in findings
        ]
        entries.sort(key=lambda entry: (entry.file, entry.code, entry.fingerprint))
        return cls(1, tuple(entries))

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Reads a baseline.

        Raises:
            UsageError: the file cannot be read or is no baseline.
        """
        place = Place(file=path)
        try:
            return msgspec.json.decode(Path(path).read_bytes(), type=cls)
        except OSError as error:
            raise UsageError(
                f"cannot read the baseline: {error.strerror}",
                place=place,
                hint="--write-baseline makes one",
            ) from None
        except msgspec.ValidationError:
            raise UsageError("not a baseline of this version of the tool", place=place) from None
        except msgspec.DecodeError:
            raise UsageError("the baseline is no valid JSON", place=place) from None

    def text(self) -> str:
        """The file of the baseline; the same findings give the same bytes."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def compare(self, findings: Iterable[Finding], linted: Iterable[str]) -> Comparison:
        """Tells new findings from accepted ones.

        Args:
            findings: the findings of this run.
            linted: the files that were linted; entries of others are neither met nor fixed.
        """
        unmet = Counter((entry.file, entry.fingerprint) for entry in self.findings)
        new = []
        accepted = 0
        for finding in findings:
            key = (Path(finding.path).name, finding.fingerprint)
            if unmet[key]:
                unmet[key] -= 1
                accepted += 1
            else:
                new.append(finding)
        names = {Path(path).name for path in linted}
        fixed = []
        for entry in self.findings:
            key = (entry.file, entry.fingerprint)
            if entry.file in names and unmet[key]:
                unmet[key] -= 1
                fixed.append(entry)
        return Comparison(tuple(new), accepted, tuple(fixed))
