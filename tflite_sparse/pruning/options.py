"""What pruning is asked for."""

from __future__ import annotations

import fnmatch
from enum import Enum
from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.model.zero_counts import BLOCK_CHANNELS
from tflite_sparse.records import Record, Share
from tflite_sparse.storage.options import WeightSelection
from tflite_sparse.torch.training.options import DistillOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.pruning.filters import Prunable

__all__ = ["Allocation", "LayerShare", "Method", "PruneOptions", "is_named"]


class Method(str, Enum):
    """How the values are chosen that become zero, and those that stay."""

    MAGNITUDE = "magnitude"
    CALIBRATED = "calibrated"
    TRAIN = "train"

    def __str__(self) -> str:
        return self.value


class Allocation(str, Enum):
    """How zeros are spread over filters."""

    UNIFORM = "uniform"
    ERK = "erk"
    FIDELITY = "fidelity"

    def __str__(self) -> str:
        return self.value


class LayerShare(Record, frozen=True):
    """The share of zeros of one filter.

    Attributes:
        name: its name.
        operators: labels of the operators that read it, such as "CONV_2D #4", by which filters of
            one name are told apart; empty where nobody knows.
        share: the share.
    """

    name: str
    operators: tuple[str, ...]
    share: Share


class PruneOptions(Record, frozen=True):
    """How many zeros, where, and how they are chosen.

    Attributes:
        zeros: share of zeros in the filters that are pruned; None where something else says how
            many.
        speed: how many times as fast as dense the model is to be, by the estimate for the first
            target; None likewise.
        size: bytes that the file is to have once optimized; None likewise.
        method: how values are chosen; None for calibrated with data and magnitude without.
        allocation: how zeros are spread; None for uniform.
        block: neighbouring output channels that become zero together: 1, 2 or 4.
        targets: targets on which the filters must run sparse; empty for the usual ones.
        selection: which filters may be pruned.
        overrides: share of zeros for filters by a glob pattern of their names, the first that
            matches; the others take what is left.
        layers: shares of single filters, as a recipe has them; they come before `overrides`.
        numbered: the same by the numbers of the tensors, as `with_numbers` finds them.
        seed: of positions that are drawn, and of the order of samples in training.
        training: how to train where `method` says so; what it says of zeros, blocks and the seed
            does not count.
    """

    zeros: Share | None = None
    speed: float | None = None
    size: int | None = None
    method: Method | None = None
    allocation: Allocation | None = None
    block: int = 1
    targets: tuple[str, ...] = ()
    selection: WeightSelection = WeightSelection()
    overrides: tuple[tuple[str, float], ...] = ()
    layers: tuple[LayerShare, ...] = ()
    numbered: dict[int, float] = {}  # noqa: RUF012 - a default that msgspec copies
    seed: int = 0
    training: DistillOptions | None = None

    def __post_init__(self) -> None:
        if sum(asked is not None for asked in (self.zeros, self.speed, self.size)) != 1:
            raise UsageError(
                "one thing must say how many weights become zero",
                hint="--zeros 0.8, --speed 1.8 or --size 2M",
            )
        shares = [share for _, share in self.overrides]
        shares += [*(layer.share for layer in self.layers), *self.numbered.values()]
        if self.zeros is not None:
            shares.append(self.zeros)
        for share in shares:
            if not 0 <= share < 1:
                hint = "--zeros 0.8" if share == self.zeros else "PATTERN=0.8 for one filter"
                raise UsageError("the share of zeros lies between 0 and 1", hint=hint)
        if self.speed is not None and not 1 < self.speed < float("inf"):
            raise UsageError("--speed is more than 1", hint="--speed 1.8 is 1.8 times as fast")
        if self.block not in (1, *BLOCK_CHANNELS):
            raise UsageError(f"there are no kernels for blocks of {self.block}", hint="1, 2 or 4")
        if self.training is not None:
            if self.method is not Method.TRAIN:
                raise UsageError("how to train is for --method train")
            self.training.check()

    def override(self, prunable: Prunable) -> float | None:
        """The share of zeros that somebody asks for in a filter, None where nobody does."""
        if self.numbered and prunable.weight.tensor.index in self.numbered:
            return self.numbered[prunable.weight.tensor.index]
        names = prunable.names
        return next((share for pattern, share in self.overrides if is_named(pattern, names)), None)


def is_named(pattern: str, names: Iterable[str]) -> bool:
    """Whether a glob pattern matches one of some names."""
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)
