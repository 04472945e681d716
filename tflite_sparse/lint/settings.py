"""What the configuration asks for one file."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from tflite_sparse._dataclass import dataclass
from tflite_sparse.inspection.inspector import NEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.lint.finding import Severity

__all__ = ["BUDGETS", "MOBILE", "Settings"]

MOBILE = ("arm64", "armv7", "wasm")
"""The targets that are looked at unless others are asked for."""

BUDGETS = {
    "max-size": "bytes of the file",
    "max-gzip-size": "bytes of the file after gzip",
    "max-growth": "growth of the file against the reference, as a share",
    "min-zeros": "share of zeros in all weights",
    "min-pointwise-zeros": "share of zeros in the filters of 1x1 convolutions",
    "min-sparse-macs": "share of multiplications that run sparse, on every target",
}
"""The budgets that a configuration may set, with what each is about."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings for one file.

    Attributes:
        enabled: codes of the rules that are checked.
        severities: severities by code that are not those of the rules.
        targets: names of the targets that matter.
        budgets: limits by name, see `BUDGETS`; sizes in bytes, shares from 0 to 1.
        reference: the model that growth is measured against, a file, or a folder with a file of
            the same name; None for none.
        near: bound of magnitude for near zeros.
        pruned: share of zeros in 1x1 filters from which a model counts as pruned.
        min_saving: smallest saving in bytes that is worth a finding.
        min_saving_share: the same as a share of the file.
    """

    enabled: frozenset[str] = frozenset()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    targets: tuple[str, ...] = MOBILE
    budgets: Mapping[str, float] = field(default_factory=dict)
    reference: str | None = None
    near: float = NEAR
    pruned: float = 0.5
    min_saving: int = 1024
    min_saving_share: float = 0.02

    def to_dict(self) -> dict[str, Any]:
        """For `--show-config`."""
        return {
            "enabled": sorted(self.enabled),
            "severity": {code: s.label for code, s in sorted(self.severities.items())},
            "targets": list(self.targets),
            "budgets": dict(sorted(self.budgets.items())),
            "reference": self.reference,
            "near": self.near,
            "pruned": self.pruned,
            "min-saving": self.min_saving,
            "min-saving-share": self.min_saving_share,
        }
