"""What a sweep is asked for."""

from __future__ import annotations

from msgspec.structs import force_setattr

from tflite_sparse.errors import UsageError
from tflite_sparse.pruning.options import Allocation, Method, PruneOptions
from tflite_sparse.records import Record, Share
from tflite_sparse.rewrite.adapt.outlook import TARGETS
from tflite_sparse.runtime.data.images import ImageOptions
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.xnnpack.releases.targets import target as target_of

__all__ = ["SHARES", "SweepData", "SweepOptions"]

SHARES = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Shares of zeros that are looked at unless others are named: close together where it pays."""


class SweepData(Record, frozen=True):
    """Where inputs come from.

    Attributes:
        source: a folder, a file or "module:function", see `given_inputs`.
        images: how images become inputs.
    """

    source: str
    images: ImageOptions = ImageOptions()


class SweepOptions(Record, frozen=True):
    """Which shares of zeros, and how they come about.

    Attributes:
        shares: shares of zeros in the filters that are pruned, beside that of the model as it is.
        method: how values are chosen; None for calibrated with data and magnitude without.
        allocation: how zeros are spread over filters: uniform, or ERK.
        block: neighbouring output channels that become zero together: 1, 2 or 4.
        targets: names of the targets; empty for the usual ones.
        values: the numbers in which weights are stored in what is predicted, measured and judged.
        seed: of what is drawn.
    """

    shares: tuple[Share, ...] = SHARES
    method: Method | None = None
    allocation: Allocation = Allocation.UNIFORM
    block: int = 1
    targets: tuple[str, ...] = ()
    values: StoredValues = StoredValues.FP32
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.shares:
            raise UsageError("no share of zeros is named", hint="--zeros 70,80,90")
        # A list, or 0 for 0.0, will do.
        force_setattr(self, "shares", tuple(float(share) for share in self.shares))
        if self.allocation is Allocation.FIDELITY:
            raise UsageError(
                "a sweep spreads zeros in a way that all shares can have: uniform or erk",
                hint="prune --allocate fidelity makes the one that is chosen",
            )
        if self.method is Method.TRAIN:
            raise UsageError(
                "a sweep trains nothing",
                hint="prune --method train trains the share that is chosen",
            )
        for name in self.names:
            target_of(name)
        for share in self.shares:
            self.pruning(share)

    @property
    def names(self) -> tuple[str, ...]:
        """The targets by their names, each once."""
        return tuple(dict.fromkeys(self.targets)) or TARGETS

    def pruning(self, share: float) -> PruneOptions:
        """How a share of zeros comes about."""
        return PruneOptions(
            zeros=share,
            method=self.method,
            allocation=self.allocation,
            block=self.block,
            targets=self.names,
            seed=self.seed,
        )
