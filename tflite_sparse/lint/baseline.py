"""Findings that are accepted: they pass, new ones fail, and those that are gone are told."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.files.remote import is_remote
from tflite_sparse.lint.finding import Finding
from tflite_sparse.records import Record
from tflite_sparse.words.numbers import rounded_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Baseline", "BaselineEntry", "Comparison"]


class BaselineEntry(Record, frozen=True):
    """A finding that is accepted.

    Attributes:
        file: the model's file, from the folder of the baseline, with slashes; in a report, as the
            user named it.
        fingerprint: the same for the same rule and place, whatever their indices.
        code: code of the rule.
        message: what is wrong, for people.
        budget: the limit that is missed, None where it is another rule.
        found: what was found in place of the limit, in bytes or as a share: what is worse is no
            longer accepted.
    """

    file: str
    fingerprint: str
    code: str
    message: str
    budget: str | None = None
    found: float | None = None

    def accepts(self, finding: Finding) -> bool:
        """Whether a finding of the same place is no worse than what was accepted."""
        if self.budget is None or self.found is None:
            return True
        found: float = finding.data["found"]
        return found >= self.found if self.budget.startswith("min-") else found <= self.found

    def against(self, finding: Finding) -> Finding:
        """A finding that is worse than what was accepted, and says so."""
        found = self.found or 0
        size = (self.budget or "").endswith("size")
        words = f"{round(found):,}" if size else rounded_percent(found, 2)
        return msgspec.structs.replace(
            finding, message=f"{finding.message}; {words} in the baseline"
        )


class Comparison(Record, frozen=True):
    """Findings against a baseline.

    Attributes:
        new: findings that the baseline does not know, in order, and those that are worse now.
        known: how many findings it knows.
        fixed: entries of the baseline that were looked for and not found again.
        unchecked: entries that were not looked for, as their rule or budget is off for the file.
    """

    new: tuple[Finding, ...]
    known: int
    fixed: tuple[BaselineEntry, ...]
    unchecked: tuple[BaselineEntry, ...] = ()


class Baseline(Record, frozen=True):
    """Accepted findings, as their file holds them.

    Attributes:
        baseline_version: version of the format.
        findings: the accepted findings.
    """

    baseline_version: Literal[2]
    findings: tuple[BaselineEntry, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding], folder: str | os.PathLike[str] = ".") -> Baseline:
        """The baseline that accepts these findings; in any order they give the same one.

        Args:
            findings: the findings.
            folder: the folder that the file of the baseline will lie in.
        """
        entries = [
            BaselineEntry(
                _name(finding.path, folder),
                finding.fingerprint,
                finding.code,
                finding.message,
                finding.data.get("budget"),
                finding.data.get("found"),
            )
            for finding in findings
        ]
        entries.sort(key=lambda entry: (entry.file, entry.code, entry.fingerprint))
        return cls(2, tuple(entries))

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Reads a baseline.

        Raises:
            UsageError: the file cannot be read, or is no baseline of this version.
        """
        place = Place(file=path)
        try:
            content: Any = msgspec.json.decode(Path(path).read_bytes())
            if isinstance(content, dict) and content.get("baseline_version") == 1:
                raise UsageError(
                    "the baseline is of version 1, which knew models by their names without"
                    " folders and mistook one for another",
                    place=place,
                    hint="--write-baseline makes it anew",
                )
            return msgspec.convert(content, cls)
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
        content = self.to_dict()
        for entry in content["findings"]:
            if entry["budget"] is None:
                del entry["budget"], entry["found"]
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def changes(self, old: Baseline) -> tuple[int, int]:
        """How many entries of an old baseline this one lacks, and how many it has beside them."""
        ours = Counter((entry.file, entry.fingerprint) for entry in self.findings)
        theirs = Counter((entry.file, entry.fingerprint) for entry in old.findings)
        return (theirs - ours).total(), (ours - theirs).total()

    def compare(
        self,
        findings: Iterable[Finding],
        linted: Mapping[str, frozenset[str]],
        folder: str | os.PathLike[str] = ".",
    ) -> Comparison:
        """Tells new findings from accepted ones.

        Args:
            findings: the findings of this run.
            linted: the files that were linted, each with the codes of the rules and the names of
                the budgets that it was held against; entries of others are neither met nor gone.
            folder: the folder that the baseline lies in.
        """
        unmet: defaultdict[tuple[str, str], list[BaselineEntry]] = defaultdict(list)
        for entry in self.findings:
            unmet[entry.file, entry.fingerprint].append(entry)
        new = []
        accepted = 0
        for finding in findings:
            entries = unmet[_name(finding.path, folder), finding.fingerprint]
            if not entries:
                new.append(finding)
                continue
            known = entries.pop(0)
            if known.accepts(finding):
                accepted += 1
            else:
                new.append(known.against(finding))
        named = {_name(path, folder): path for path in linted}
        fixed: list[BaselineEntry] = []
        unchecked: list[BaselineEntry] = []
        for entry in self.findings:
            if entry.file in named and entry in (left := unmet[entry.file, entry.fingerprint]):
                left.remove(entry)
                path = named[entry.file]
                checked = {entry.code, entry.budget or entry.code} <= linted[path]
                (fixed if checked else unchecked).append(msgspec.structs.replace(entry, file=path))
        return Comparison(tuple(new), accepted, tuple(fixed), tuple(unchecked))


def _name(path: str, folder: str | os.PathLike[str]) -> str:
    """A file as a baseline in a folder names it, the same from wherever the program runs."""
    if is_remote(path):
        return path
    # A link to a model is that link, whatever it leads to.
    file = Path(path).parent.resolve() / Path(path).name
    try:
        return Path(os.path.relpath(file, Path(folder).resolve())).as_posix()
    except ValueError:
        # On another drive.
        return file.as_posix()
