"""The settings of lint in the terms of the configuration, as `lint --show-config` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.lint.finding import Severity
from tflite_sparse.records import Amount, Count, Record, Share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from tflite_sparse.lint.config.found import FoundConfigs
    from tflite_sparse.lint.settings import Settings

__all__ = ["FileSettings", "SettingsReport"]


class FileSettings(Record, frozen=True, rename="kebab"):
    """What applies to one file.

    Attributes:
        enabled: codes of the rules that are checked, sorted.
        severity: code of a rule -> its severity, where it is not the rule's own.
        targets: names of the targets that matter.
        runtimes: names of the releases of the runtime that matter.
        budgets: limits by the names of the configuration; sizes in bytes, shares from 0 to 1.
        reference: the model that growth is measured against, or a folder with a file at the
            same path; None for none.
        near: bound of magnitude for near zeros.
        pruned: share of zeros in 1x1 filters from which a model counts as pruned.
        min_saving: smallest saving in bytes that is worth a finding.
        min_saving_share: the same as a share of the file.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
    """

    enabled: tuple[str, ...]
    severity: dict[str, Severity]
    targets: tuple[str, ...]
    runtimes: tuple[str, ...]
    budgets: dict[str, Amount]
    reference: str | None
    near: Amount
    pruned: Share
    min_saving: Count
    min_saving_share: Share
    input_shapes: dict[str, tuple[Count, ...]]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings of one file."""
        return cls(
            enabled=tuple(sorted(settings.enabled)),
            severity=dict(sorted(settings.severities.items())),
            targets=settings.targets,
            runtimes=settings.runtimes,
            budgets=dict(sorted(settings.budgets.items())),
            reference=settings.reference,
            near=settings.near,
            pruned=settings.pruned,
            min_saving=settings.min_saving,
            min_saving_share=settings.min_saving_share,
            input_shapes=dict(settings.input_shapes),
        )


class SettingsReport(Record, frozen=True, rename="kebab"):
    """The configuration, and what it asks for each file.

    Attributes:
        config: path of the configuration; None where there is none.
        fail_on: severity from which a finding fails the run.
        baseline: path of the baseline whose findings pass; None for none.
        files: path of each file -> what applies to it.
    """

    config: str | None
    fail_on: Severity
    baseline: str | None
    files: dict[str, FileSettings]

    @classmethod
    def of(cls, config: FoundConfigs, models: Iterable[str]) -> Self:
        """The settings of models."""
        return cls(
            config=None if config.path is None else str(config.path),
            fail_on=config.fail_on,
            baseline=config.baseline,
            files={path: FileSettings.of(config.settings(path)) for path in sorted(models)},
        )
