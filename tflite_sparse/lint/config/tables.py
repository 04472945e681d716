"""The configuration as it is written, key by key; its JSON Schema is made from these types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tflite_sparse.lint.config.values import (
    RulePatterns,
    RuntimeNames,
    SeverityTable,
    ShareValue,
    SizeValue,
    TargetNames,
)
from tflite_sparse.lint.finding import Severity
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Budgets", "ConfigFile", "FileKeys", "MatchedFiles"]


class _Table(Record, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the configuration, whose keys may be left out."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The keys as they are written."""
        return tuple(field.encode_name for field in msgspec.structs.fields(cls))

    def changed_by(self, later: _Table) -> Self:
        """These keys with what another table says: it replaces, but ignores and tables add up."""
        names = set(self.__struct_fields__) & set(later.__struct_fields__)
        values = {name: getattr(later, name) for name in names}
        changes = {name: value for name, value in values.items() if value is not UNSET}
        for name, value in changes.items():
            before = getattr(self, name)
            if isinstance(before, _Table):
                changes[name] = before.changed_by(value)
            elif isinstance(before, dict):
                changes[name] = {**before, **value}
            elif name == "ignore" and before is not UNSET:
                changes[name] = (*before, *value)
        return msgspec.structs.replace(self, **changes)


ShapeTable = dict[str, tuple[Annotated[int, msgspec.Meta(ge=1)], ...]]
"""Shapes by the names of inputs."""


class Budgets(_Table, frozen=True):
    """Limits; a model beyond one is a finding.

    Attributes:
        max_size: bytes of the file.
        max_gzip_size: bytes of the file after gzip.
        max_growth: growth of the file against the reference, as a share.
        min_zeros: share of zeros in all weights.
        min_pointwise_zeros: share of zeros in the filters of 1x1 convolutions.
        min_sparse_macs: share of multiplications that run sparse, on every target.
    """

    max_size: SizeValue | UnsetType = UNSET
    max_gzip_size: SizeValue | UnsetType = UNSET
    max_growth: ShareValue | UnsetType = UNSET
    min_zeros: ShareValue | UnsetType = UNSET
    min_pointwise_zeros: ShareValue | UnsetType = UNSET
    min_sparse_macs: ShareValue | UnsetType = UNSET

    def limits(self) -> dict[str, float]:
        """The limits that are set, by their names in the configuration."""
        return {
            field.encode_name: float(limit)
            for field in msgspec.structs.fields(self)
            if (limit := getattr(self, field.name)) is not UNSET
        }


class FileKeys(_Table, frozen=True):
    """What may be set for all files, and again for some of them.

    Attributes:
        select: the rules to check.
        ignore: the rules to leave out.
        severity: severities by rule that are not those of the rules.
        targets: the targets that matter.
        runtimes: the releases of the runtime that the model must be right on, such as "litert-1.3".
        budgets: limits.
        reference: the model that growth is measured against, or a folder with one at the same path.
        near: bound of magnitude for near zeros.
        pruned: share of zeros in 1x1 filters from which a model counts as pruned.
        min_saving: smallest saving in bytes that is worth a finding.
        min_saving_share: the same as a share of the file.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
    """

    select: RulePatterns | UnsetType = UNSET
    ignore: RulePatterns | UnsetType = UNSET
    severity: SeverityTable | UnsetType = UNSET
    targets: TargetNames | UnsetType = UNSET
    runtimes: RuntimeNames | UnsetType = UNSET
    budgets: Budgets | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    near: ShareValue | UnsetType = UNSET
    pruned: ShareValue | UnsetType = UNSET
    min_saving: SizeValue | UnsetType = UNSET
    min_saving_share: ShareValue | UnsetType = UNSET
    input_shapes: ShapeTable | UnsetType = UNSET


class MatchedFiles(FileKeys, frozen=True, kw_only=True):
    """Settings for some files.

    Attributes:
        match: glob patterns of the files that they are for.
    """

    match: tuple[str, ...]


class ConfigFile(FileKeys, frozen=True):
    """The whole configuration.

    Attributes:
        extends: another configuration, relative to this one, that holds where this one is silent.
        fail_on: severity from which a finding fails the run.
        baseline: a file with findings that pass.
        files: settings for some files, which add up in this order.
    """

    extends: str | UnsetType = UNSET
    fail_on: Severity | UnsetType = UNSET
    baseline: str | UnsetType = UNSET
    files: tuple[MatchedFiles, ...] | UnsetType = UNSET
