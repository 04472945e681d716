"""Which configuration applies to which file: the nearest one from each file upwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tflite_sparse.files.remote import is_remote
from tflite_sparse.lint.config.config import Config, find_config, read_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.lint.config.tables import FileKeys
    from tflite_sparse.lint.finding import Severity
    from tflite_sparse.lint.settings import Settings

__all__ = ["FoundConfigs"]


class FoundConfigs:
    """The configurations of the files of a run.

    What holds for the whole run, the severity that fails and the baseline, is that of the folder in
    which the program runs; where there is none, that of the first file.

    Args:
        paths: the files.
        only: the configuration for all of them; None to look for those that apply.
        keys: what the command line says, which comes before every configuration.
        fail_on: the severity from which a finding fails the run, by the command line.

    Raises:
        UsageError: a configuration cannot be read, or a key or value in it is not known.
    """

    def __init__(
        self,
        paths: Sequence[str],
        only: Config | None,
        keys: FileKeys,
        fail_on: Severity | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._changes = (keys, fail_on)
        self._by_file: dict[Path, Config] = {}
        self._by_folder: dict[Path, Config | None] = {}
        self._only = None if only is None else only.changed_by(keys, fail_on)
        nearest = [self._nearest(Path())] + [self._nearest(_folder(path)) for path in paths[:1]]
        defaults = Config().changed_by(keys, fail_on)
        self._run = self._only or next(filter(None, nearest), defaults)
        # What is wrong in one is said before anything is done.
        for path in paths:
            self.settings(path)

    @property
    def path(self) -> Path | None:
        """The configuration of the run; None for the defaults."""
        return self._run.path

    @property
    def fail_on(self) -> Severity:
        """Severity from which a finding fails the run."""
        return self._run.fail_on

    @property
    def baseline(self) -> str | None:
        """The baseline file, None for none."""
        return self._run.baseline

    def settings(self, path: str) -> Settings:
        """The settings for one file."""
        config = self._only or self._nearest(_folder(path)) or self._run
        return config.settings(path)

    def unmatched(self, folders: Sequence[str]) -> list[tuple[Path, str]]:
        """Patterns of files that match no file of the run, each with its configuration.

        Args:
            folders: the folders that were searched as a whole; of a configuration outside them
                nothing is said, as its files may lie elsewhere.
        """
        searched = [Path(folder).resolve() for folder in folders]
        configs = [self._only] if self._only is not None else list(self._by_file.values())
        return [
            (config.path, pattern)
            for config in configs
            if config.path is not None
            and any(config.path.resolve().is_relative_to(folder) for folder in searched)
            for pattern in config.unmatched(self._paths)
        ]

    def _nearest(self, folder: Path) -> Config | None:
        if self._only is not None:
            return self._only
        if folder not in self._by_folder:
            file = find_config(folder)
            if file is not None and file not in self._by_file:
                self._by_file[file] = read_config(file).changed_by(*self._changes)
            self._by_folder[folder] = None if file is None else self._by_file[file]
        return self._by_folder[folder]


def _folder(path: str) -> Path:
    return Path() if is_remote(path) else Path(path).parent
