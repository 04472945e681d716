"""Findings that are known already: they pass, new ones fail, and those that are gone are told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflite_sparse._dataclass import dataclass
from tflite_sparse.errors import Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.finding import Finding

__all__ = ["Baseline", "Comparison"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Findings against a baseline.

    Attributes:
        new: findings that the baseline does not know, in order.
        known: how many findings it knows.
        fixed: entries of the baseline that were not found again, of the files that were linted.
    """

    new: tuple[Finding, ...]
    known: int
    fixed: tuple[dict[str, Any], ...]


class Baseline:
    """Known findings by file name and fingerprint.

    Args:
        entries: the findings as the file of the baseline holds them.
    """

    def __init__(self, entries: Iterable[dict[str, Any]]) -> None:
        self.entries = tuple(entries)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Baseline:
        """The baseline that knows these findings."""
        return cls(
            {
                "file": Path(finding.path).name,
                "fingerprint": finding.fingerprint,
                "code": finding.code,
                "message": finding.message,
            }
            for finding in findings
        )

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Reads a baseline.

        Raises:
            UsageError: the file cannot be read or is no baseline.
        """
        place = Place(file=path)
        try:
            document = json.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise UsageError(
                f"cannot read the baseline: {error.strerror}",
                place=place,
                hint="--write-baseline makes one",
            ) from None
        except ValueError:
            raise UsageError("the baseline is no valid JSON", place=place) from None
        entries: Any = document.get("findings") if isinstance(document, dict) else None
        good = isinstance(entries, list) and all(
            isinstance(entry, dict) and {"file", "fingerprint", "code", "message"} <= entry.keys()
            for entry in entries
        )
        if not good or document.get("baseline_version") != _VERSION:
            raise UsageError("not a baseline of this version of the tool", place=place)
        return cls(entries)

    def text(self) -> str:
        """The file of the baseline; the same findings give the same bytes."""
        entries = sorted(self.entries, key=lambda e: (e["file"], e["code"], e["fingerprint"]))
        document = {"baseline_version": _VERSION, "findings": entries}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def compare(self, findings: Iterable[Finding], linted: Iterable[str]) -> Comparison:
        """Tells new findings from known ones.

        Args:
            findings: what was found.
            linted: the files that were linted; entries of others are neither found nor fixed.
        """
        left = Counter((entry["file"], entry["fingerprint"]) for entry in self.entries)
        new = []
        known = 0
        for finding in findings:
            key = (Path(finding.path).name, finding.fingerprint)
            if left[key]:
                left[key] -= 1
                known += 1
            else:
                new.append(finding)
        names = {Path(path).name for path in linted}
        fixed = []
        for entry in self.entries:
            key = (entry["file"], entry["fingerprint"])
            if entry["file"] in names and left[key]:
                left[key] -= 1
                fixed.append(entry)
        return Comparison(tuple(new), known, tuple(fixed))
