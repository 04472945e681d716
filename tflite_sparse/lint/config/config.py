"""The configuration: [tool.tflite-sparse] of the nearest pyproject.toml, or tflite-sparse.toml."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from tflite_sparse.errors import Place, UsageError
from tflite_sparse.lint.config.errors import explained
from tflite_sparse.lint.config.tables import Budgets, ConfigFile, FileKeys, MatchedFiles
from tflite_sparse.lint.config.values import decode_value
from tflite_sparse.lint.finding import Severity
from tflite_sparse.lint.rule import matching
from tflite_sparse.lint.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Config", "config_of", "find_config", "read_config"]

_FILE = "tflite-sparse.toml"
_PYPROJECT = "pyproject.toml"
_TABLE = "tflite-sparse"
_DEFAULTS = Settings()
_T = TypeVar("_T")


class Config(msgspec.Struct, frozen=True):
    """A configuration.

    Attributes:
        keys: what is written in it; files that it names are joined to its folder.
        path: the file that it comes from, None for the defaults.
        base: the configuration that it extends, None for none.
        arguments: what the command line says, which comes before all of it.
    """

    keys: ConfigFile = ConfigFile()
    path: Path | None = None
    base: Config | None = None
    arguments: FileKeys = FileKeys()

    @property
    def fail_on(self) -> Severity:
        """Severity from which a finding fails the run."""
        return _or(self.keys.fail_on, self.base.fail_on if self.base else Severity.WARNING)

    @property
    def baseline(self) -> str | None:
        """The baseline file, None for none."""
        return _or(self.keys.baseline, self.base.baseline if self.base else None)

    @property
    def reference(self) -> str | None:
        """The model that growth is measured against, or a folder of such; None for none."""
        return _or(self.keys.reference, self.base.reference if self.base else None)

    def changed_by(self, keys: FileKeys, fail_on: Severity | None) -> Config:
        """The configuration with what the command line says.

        Args:
            keys: replaces the keys for all files; see `FileKeys.changed_by`.
            fail_on: replaces the severity that fails, None for what it is.
        """
        own = self.keys
        if fail_on is not None:
            own = msgspec.structs.replace(own, fail_on=fail_on)
        changed = self.arguments.changed_by(keys)
        return msgspec.structs.replace(self, keys=own, arguments=changed)

    def unmatched(self, paths: Iterable[str]) -> list[str]:
        """The patterns of files in it, without those of what it extends, that match no path."""
        patterns = [p for entry in _or(self.keys.files, ()) for p in entry.match]
        names = list(paths)
        folders = self._folders
        return [p for p in patterns if not any(_matches(name, p, folders) for name in names)]

    @property
    def _folders(self) -> tuple[Path, ...]:
        return (self.path.parent if self.path else Path(),)

    def asked(self, path: str, folders: tuple[Path, ...]) -> FileKeys:
        """What is asked for a file: of what it extends, then its own, then by the files in it.

        Args:
            path: the file.
            folders: those of the configurations that extend it; patterns are taken from each.
        """
        folders = (*self._folders, *folders)
        keys = FileKeys() if self.base is None else self.base.asked(path, folders)
        keys = keys.changed_by(self.keys)
        for entry in _or(self.keys.files, ()):
            if any(_matches(path, pattern, folders) for pattern in entry.match):
                keys = keys.changed_by(entry)
        return keys

    def settings(self, path: str) -> Settings:
        """The settings for one file: the general ones, changed by every entry that matches it.

        Raises:
            UsageError: a pattern of rules from the command line chooses nothing, or max-growth has
                no reference.
        """
        keys = self.asked(path, ()).changed_by(self.arguments)
        settings = Settings(
            enabled=matching(_or(keys.select, ("ALL",))) - matching(_or(keys.ignore, ())),
            severities=dict(_or(keys.severity, {})),
            targets=tuple(map(str, _or(keys.targets, _DEFAULTS.targets))),
            runtimes=tuple(map(str, _or(keys.runtimes, _DEFAULTS.runtimes))),
            budgets=_or(keys.budgets, Budgets()).limits(),
            reference=_or(keys.reference, None),
            near=float(_or(keys.near, _DEFAULTS.near)),
            pruned=float(_or(keys.pruned, _DEFAULTS.pruned)),
            min_saving=round(_or(keys.min_saving, _DEFAULTS.min_saving)),
            min_saving_share=float(_or(keys.min_saving_share, _DEFAULTS.min_saving_share)),
            input_shapes=dict(_or(keys.input_shapes, {})),
        )
        growth = "TFS605" in settings.enabled and "max-growth" in settings.budgets
        if growth and settings.reference is None:
            raise UsageError(
                "the budget max-growth has no reference to compare with",
                place=None if self.path is None else Place(file=str(self.path)),
                hint="name in 'reference' the last released model, or a folder of them",
            )
        return settings


def _or(value: _T | UnsetType, default: _T) -> _T:
    return default if isinstance(value, UnsetType) else value


def _matches(path: str, pattern: str, folders: Iterable[Path]) -> bool:
    """Whether a file matches a glob, taken from one of the folders, or on its name alone."""
    full = Path(path).resolve()
    names = {full.name, Path(path).as_posix()}
    for folder in folders:
        base = folder.resolve()
        inside = full.is_relative_to(base)
        names.add(full.relative_to(base).as_posix() if inside else full.as_posix())
    return any(fnmatchcase(name, pattern) for name in names)


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
    base = _read((path.parent / own.keys.extends).resolve(), (*extending, path.resolve()))
    return msgspec.structs.replace(own, base=base)


def _read_alone(path: Path) -> Config:
    document = _load(path)
    table = document if path.name != _PYPROJECT else _table_in(document)
    try:
        keys = msgspec.convert({} if table is None else table, ConfigFile, dec_hook=decode_value)
    except msgspec.ValidationError as error:
        raise explained(error, str(path)) from None
    return Config(_joined(keys, path.parent), path)


def _joined(keys: ConfigFile, folder: Path) -> ConfigFile:
    """The keys with the files that they name, which are relative to the configuration."""

    def joined(name: str | UnsetType) -> str | UnsetType:
        return name if isinstance(name, UnsetType) else str(folder / name)

    files: tuple[MatchedFiles, ...] | UnsetType = UNSET
    if not isinstance(keys.files, UnsetType):
        files = tuple(
            msgspec.structs.replace(entry, reference=joined(entry.reference))
            for entry in keys.files
        )
    return msgspec.structs.replace(
        keys, baseline=joined(keys.baseline), reference=joined(keys.reference), files=files
    )


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
