"""What the configuration asks for one file."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from tflite_sparse.inspection.inspector import NEAR
from tflite_sparse.lint.finding import Severity
from tflite_sparse.records import Record
from tflite_sparse.xnnpack.releases.runtimes import MAINTAINED

__all__ = ["MOBILE", "Settings"]

MOBILE = ("arm64", "armv7", "wasm")
"""The targets that are looked at unless others are asked for."""


class Settings(Record, frozen=True):
    """Settings for one file.

    Attributes:
        enabled: codes of the rules that are checked.
        severities: severities by code that are not those of the rules.
        targets: names of the targets that matter.
        runtimes: names of the releases of the runtime that the model must be right on besides the
            newest.
        budgets: limits by the names of the configuration; sizes in bytes, shares from 0 to 1.
        reference: the model that growth is measured against, a file, or a folder with a file of
            the same path; None for none.
        near: bound of magnitude for near zeros.
        pruned: share of zeros in 1x1 filters from which a model counts as pruned.
        min_saving: smallest saving in bytes that is worth a finding.
        min_saving_share: the same as a share of the file.
        input_shapes: shapes of inputs that leave sizes open, by name, "" for the only one.
    """

    enabled: frozenset[str] = frozenset()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    targets: tuple[str, ...] = MOBILE
    runtimes: tuple[str, ...] = tuple(release.slug for release in MAINTAINED)
    budgets: Mapping[str, float] = field(default_factory=dict)
    reference: str | None = None
    near: float = NEAR
    pruned: float = 0.5
    min_saving: int = 1024
    min_saving_share: float = 0.02
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
