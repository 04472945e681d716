"""The configuration: [tool.tflite-sparse] of the nearest pyproject.toml, or tflite-sparse.toml."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.lint.config.errors import explained
from tflite_sparse.lint.config.tables import Budgets, ConfigFile, FileKeys
from tflite_sparse.lint.config.values import decode_value
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import matching
from tflite_sparse.lint.settings import Settings

__all__ = ["Config", "config_of", "find_config", "read_config"]

_FILE = "tflite-sparse.toml"
_PYPROJECT = "pyproject.toml"
_TABLE = "tflite-sparse"
_DEFAULTS = Settings()
_T = TypeVar("_T")


class Config(msgspec.Struct, frozen=True):
    """A configuration.

    Attributes:
        keys: what is written in it.
        path: the file that it comes from, None for the defaults.
    """

    keys: ConfigFile = ConfigFile()
    path: Path | None = None

    @property
    def fail_on(self) -> Severity:
        """Severity from which a finding fails the run."""
        return _or(self.keys.fail_on, Severity.WARNING)

    @property
    def baseline(self) -> str | None:
        """The baseline file, None for none."""
        return self._beside(self.keys.baseline)

    @property
    def reference(self) -> str | None:
        """The model that growth is measured against, or a folder of such; None for none."""
        return self._beside(self.keys.reference)

    def changed_by(self, keys: FileKeys, fail_on: Severity | None) -> Config:
        """The configuration with what the command line says.

        Args:
            keys: replaces the keys for all files; see `FileKeys.changed_by`.
            fail_on: replaces the severity that fails, None for what it is.
        """
        changed = self.keys.changed_by(keys)
        if fail_on is not None:
            changed = msgspec.structs.replace(changed, fail_on=fail_on)
        return Config(changed, self.path)

    def settings(self, path: str) -> Settings:
        """The settings for one file: the general ones, changed by every entry that matches it.

        Raises:
            UsageError: a pattern of rules from the command line chooses nothing.
        """
        keys: FileKeys = self.keys
        for entry in _or(self.keys.files, ()):
            if any(_matches(path, pattern, self.path) for pattern in entry.match):
                keys = keys.changed_by(entry)
        return Settings(
            enabled=matching(_or(keys.select, ("ALL",))) - matching(_or(keys.ignore, ())),
            severities=dict(_or(keys.severity, {})),
            targets=tuple(map(str, _or(keys.targets, _DEFAULTS.targets))),
            runtimes=tuple(map(str, _or(keys.runtimes, _DEFAULTS.runtimes))),
            budgets=_or(keys.budgets, Budgets()).limits(),
            reference=self._beside(keys.reference),
            near=float(_or(keys.near, _DEFAULTS.near)),
            pruned=float(_or(keys.pruned, _DEFAULTS.pruned)),
            min_saving=round(_or(keys.min_saving, _DEFAULTS.min_saving)),
            min_saving_share=float(_or(keys.min_saving_share, _DEFAULTS.min_saving_share)),
            input_shapes=dict(_or(keys.input_shapes, {})),
        )

    def _beside(self, name: str | UnsetType) -> str | None:
        """A file that is named in the configuration, relative to it."""
        if isinstance(name, UnsetType):
            return None
        return str(self.path.parent / name) if self.path else name


def _or(value: _T | UnsetType, default: _T) -> _T:
    return default if isinstance(value, UnsetType) else value


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
        if project.is_file() and _table_in(_load(project)) is not None:
            return project
    return None


def read_config(path: Path) -> Config:
    """Reads a configuration, and those that it extends.

    Raises:
        UsageError: a file cannot be read, a key or value in it is not known, or it extends itself.
    """
    return _read(path, ())


def _read(path: Path, extending: tuple[Path, ...]) -> Config:
    if path.resolve() in extending:
        raise UsageError("the configuration extends itself", place=Place(file=str(path)))
    own = _read_alone(path)
    if isinstance(own.keys.extends, UnsetType):
        return own
    base = _read(path.parent / own.keys.extends, (*extending, path.resolve()))
    files = (*_or(base.keys.files, ()), *_or(own.keys.files, ()))
    inherited = msgspec.structs.replace(
        base.keys,
        # Relative to the file in which they stand.
        baseline=_or_unset(base.baseline),
        reference=_or_unset(base.reference),
    )
    keys = inherited.changed_by(own.keys)
    return Config(msgspec.structs.replace(keys, files=files or UNSET), path)


def _or_unset(name: str | None) -> str | UnsetType:
    return UNSET if name is None else str(Path(name).resolve())


def _read_alone(path: Path) -> Config:
    document = _load(path)
    table = document if path.name != _PYPROJECT else _table_in(document)
    try:
        return Config(
            msgspec.convert({} if table is None else table, ConfigFile, dec_hook=decode_value), path
        )
    except msgspec.ValidationError as error:
        raise explained(error, str(path)) from None


def config_of(keys: dict[str, Any]) -> Config:
    """A configuration of some keys.

    Raises:
        UsageError: a key or value is not known.
    """
    try:
        return Config(msgspec.convert(keys, ConfigFile, dec_hook=decode_value))
    except msgspec.ValidationError as error:
        raise explained(error, "the arguments") from None


def _table_in(project: dict[str, Any]) -> Any:
    """The table of this tool in a pyproject.toml, None where it has none."""
    tools = project.get("tool")
    return tools.get(_TABLE) if isinstance(tools, dict) else None


def _load(path: Path) -> dict[str, Any]:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise UsageError(
            f"cannot read the configuration: {error.strerror}", place=Place(file=str(path))
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"no valid TOML: {error}", place=Place(file=str(path))) from None
