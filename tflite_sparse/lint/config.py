"""The configuration: [tool.tflite-sparse] of the nearest pyproject.toml, or tflite-sparse.toml."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflite_sparse._dataclass import dataclass
from tflite_sparse.errors import Place, UsageError
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import matching
from tflite_sparse.lint.settings import BUDGETS, MOBILE, Settings
from tflite_sparse.words.units import parse_share, parse_size
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Config", "find_config", "read_config"]

_FILE = "tflite-sparse.toml"
_PYPROJECT = "pyproject.toml"
_TABLE = "tflite-sparse"
_SIZES = {"max-size", "max-gzip-size"}
_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration.

    Attributes:
        path: the file that it comes from, None for the defaults.
        select: patterns of the rules to check.
        ignore: patterns of the rules to leave out.
        severity: severities by code.
        targets: names of the targets that matter.
        budgets: limits by name.
        reference: what growth is measured against.
        fail_on: severity from which a finding fails the run.
        baseline: a baseline file.
        near: bound of magnitude for near zeros.
        pruned: share of zeros in 1x1 filters from which a model counts as pruned.
        min_saving: smallest saving in bytes that is worth a finding.
        min_saving_share: the same as a share of the file.
        files: settings for single files: (glob patterns, the keys they change).
    """

    path: Path | None = None
    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    targets: tuple[str, ...] = MOBILE
    budgets: Mapping[str, float] = field(default_factory=dict)
    reference: str | None = None
    fail_on: Severity = Severity.WARNING
    baseline: str | None = None
    near: float = _DEFAULTS.near
    pruned: float = _DEFAULTS.pruned
    min_saving: int = _DEFAULTS.min_saving
    min_saving_share: float = _DEFAULTS.min_saving_share
    files: tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...] = ()

    def settings(self, path: str) -> Settings:
        """The settings for one file: the general ones, changed by every entry that matches it."""
        merged = self
        for patterns, changes in self.files:
            if any(_matches(path, pattern, self.path) for pattern in patterns):
                budgets = {**merged.budgets, **changes.get("budgets", {})}
                severity = {**merged.severity, **changes.get("severity", {})}
                rest = {k: v for k, v in changes.items() if k not in {"budgets", "severity"}}
                ignore = (*merged.ignore, *rest.pop("ignore", ()))
                merged = dataclasses.replace(
                    merged, budgets=budgets, severity=severity, ignore=ignore, **rest
                )
        return Settings(
            matching(merged.select) - (matching(merged.ignore) if merged.ignore else frozenset()),
            merged.severity,
            merged.targets,
            merged.budgets,
            merged.reference,
            merged.near,
            merged.pruned,
            merged.min_saving,
            merged.min_saving_share,
        )


def _matches(path: str, pattern: str, config: Path | None) -> bool:
    """Whether a file matches a glob, taken from the configuration's folder or on its name alone."""
    full = Path(path).resolve()
    base = (config.parent if config else Path()).resolve()
    relative = full.relative_to(base).as_posix() if full.is_relative_to(base) else full.as_posix()
    return any(fnmatchcase(name, pattern) for name in (relative, full.name, Path(path).as_posix()))


def find_config(start: Path) -> Path | None:
    """The configuration that applies in a folder: in it or in the nearest one above.

    In one folder tflite-sparse.toml comes before a pyproject.toml, and a pyproject.toml without a
    table of this tool is passed over.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        own = folder / _FILE
        if own.is_file():
            return own
        project = folder / _PYPROJECT
        if project.is_file() and _TABLE in _load(project).get("tool", {}):
            return project
    return None


def read_config(path: Path) -> Config:
    """Reads a configuration.

    Raises:
        UsageError: the file cannot be read, or a key or value in it is not known.
    """
    document = _load(path)
    table = document.get("tool", {}).get(_TABLE, {}) if path.name == _PYPROJECT else document
    reader = _Reader(path)
    values = reader.read(table, _KEYS, "")
    return Config(path=path, **values)


def _load(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(
            f"cannot read the configuration: {error.strerror}", place=Place(file=str(path))
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"no valid TOML: {error}", place=Place(file=str(path))) from None


class _Reader:
    """Checks values and turns them into what `Config` holds; errors name the key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, message: str, hint: str | None = None) -> UsageError:
        return UsageError(message, place=Place(file=str(self.path)), hint=hint)

    def read(self, table: Any, keys: Mapping[str, _Convert], where: str) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self.error(f"{where or 'the configuration'} must be a table")
        values = {}
        for key, value in table.items():
            if key not in keys:
                name = f"{where}.{key}" if where else key
                raise self.error(f"unknown key {name!r}", "known: " + ", ".join(sorted(keys)))
            values[key.replace("-", "_")] = keys[key](self, value, key)
        return values

    def strings(self, value: Any, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"{key!r} must be a list of strings")
        return tuple(value)

    def text(self, value: Any, key: str) -> str:
        if not isinstance(value, str):
            raise self.error(f"{key!r} must be a string")
        return value

    def file(self, value: Any, key: str) -> str:
        return str(self.path.parent / self.text(value, key))

    def rules(self, value: Any, key: str) -> tuple[str, ...]:
        patterns = self.strings(value, key)
        try:
            matching(patterns)
        except UsageError as error:
            raise self.error(f"{key!r}: {error.message}", error.hint) from None
        return patterns

    def targets(self, value: Any, key: str) -> tuple[str, ...]:
        names = self.strings(value, key)
        try:
            return tuple(target(name).name for name in names)
        except UsageError as error:
            raise self.error(f"{key!r}: {error.message}", error.hint) from None

    def severity(self, value: Any, key: str) -> Severity:
        names = {severity.label: severity for severity in Severity}
        if value not in names:
            raise self.error(f"{key!r} must be one of {', '.join(names)}")
        return names[value]

    def severities(self, value: Any, key: str) -> dict[str, Severity]:
        if not isinstance(value, dict):
            raise self.error(f"{key!r} must be a table")
        found = {}
        for pattern, name in value.items():
            severity = self.severity(name, f"{key}.{pattern}")
            for code in self._codes(pattern, key):
                found[code] = severity
        return found

    def _codes(self, pattern: str, key: str) -> frozenset[str]:
        try:
            return matching([pattern])
        except UsageError as error:
            raise self.error(f"{key!r}: {error.message}", error.hint) from None

    def budgets(self, value: Any, key: str) -> dict[str, float]:
        if not isinstance(value, dict):
            raise self.error(f"{key!r} must be a table")
        found = {}
        for name, limit in value.items():
            if name not in BUDGETS:
                raise self.error(f"unknown budget {name!r}", "known: " + ", ".join(BUDGETS))
            found[name] = self.amount(limit, f"{key}.{name}", size=name in _SIZES)
        return found

    def amount(self, value: Any, key: str, *, size: bool) -> float:
        try:
            return parse_size(value) if size else parse_share(value)
        except UsageError as error:
            raise self.error(f"{key!r}: {error.message}", error.hint) from None

    def share(self, value: Any, key: str) -> float:
        return self.amount(value, key, size=False)

    def size(self, value: Any, key: str) -> int:
        return round(self.amount(value, key, size=True))

    def entries(self, value: Any, key: str) -> tuple[tuple[tuple[str, ...], dict[str, Any]], ...]:
        if not isinstance(value, list):
            raise self.error(f"{key!r} must be an array of tables")
        found = []
        for number, entry in enumerate(value):
            where = f"{key}[{number}]"
            changes = self.read(entry, _FILE_KEYS, where)
            if "match" not in changes:
                raise self.error(f"{where} needs 'match', the files that it is about")
            found.append((changes.pop("match"), changes))
        return tuple(found)


if TYPE_CHECKING:
    _Convert = Callable[[_Reader, Any, str], Any]

_FILE_KEYS: dict[str, _Convert] = {
    "select": _Reader.rules,
    "ignore": _Reader.rules,
    "severity": _Reader.severities,
    "targets": _Reader.targets,
    "budgets": _Reader.budgets,
    "reference": _Reader.file,
    "near": _Reader.share,
    "pruned": _Reader.share,
    "min-saving": _Reader.size,
    "min-saving-share": _Reader.share,
    "match": _Reader.strings,
}
_KEYS: dict[str, _Convert] = {
    **{key: convert for key, convert in _FILE_KEYS.items() if key != "match"},
    "fail-on": _Reader.severity,
    "baseline": _Reader.file,
    "files": _Reader.entries,
}
