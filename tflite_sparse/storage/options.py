"""What a rewrite is asked to do."""

from __future__ import annotations

import fnmatch
import math
from typing import TYPE_CHECKING

from tflite_sparse.errors import UsageError
from tflite_sparse.records import Record
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Operator, Tensor

__all__ = ["DensifyOptions", "SparsifyOptions", "WeightSelection"]

_LAYOUTS = ("auto", "google")
_DIRECT = ("off", "direct")


class WeightSelection(Record, frozen=True):
    """Which weights a rewrite may touch, by glob patterns on names of tensors and operators.

    An operator matches by its kind ("CONV_2D"), its label ("CONV_2D #4") and the name of its first
    output.

    Attributes:
        only: when not empty, a weight must match one of these.
        exclude: a weight that matches one of these is left alone.
    """

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def refusal(self, tensor: Tensor, readers: Iterable[Operator]) -> str | None:
        """Why a weight is not among those asked for, or None where it is."""
        names = [tensor.name]
        for operator in readers:
            names += [operator.custom_code or operator.name, operator.label]
            names += [output.name for output in operator.outputs[:1]]
        if self.only and not _any_match(names, self.only):
            return "not among those asked for (--only)"
        return "excluded (--exclude)" if _any_match(names, self.exclude) else None


class SparsifyOptions(Record, frozen=True):
    """What to store sparse, and how.

    Attributes:
        selection: the weights that may be touched.
        ops: kinds of operators whose weights may be touched; empty for all.
        min_sparsity: smallest share of zeros, 0 to 1.
        min_saving: smallest saving of a weight in bytes; at least 1 is always asked for.
        min_ratio: smallest saving of a weight as a share of what it takes now.
        zero_below: weights with a magnitude below this become zero, which loses information; 0
            changes none. For quantized weights it counts in real units.
        layout: "auto" takes the smallest encoding, "google" the one of Google's exporter.
        block: None looks for blocks where they make the file smaller, () uses none, and a shape
            such as (1, 4) stands for blocks over the first and the last dimension.
        reencode: whether weights that are sparse already are encoded anew where that is smaller.
        lean_download: whether int8 weights, which no sparse kernel reads, are left dense where they
            would take no fewer bytes to download, that is after gzip.
        targets: names of targets; on those with a release of the runtime, such as
            "arm64@litert-2.0", the result must be right too, besides the newest.
        fc: "direct" stores weights of FULLY_CONNECTED without DENSIFY where TFLite has a kernel.
    """

    selection: WeightSelection = WeightSelection()
    ops: tuple[str, ...] = ()
    min_sparsity: float = 0.0
    min_saving: int = 1
    min_ratio: float = 0.0
    zero_below: float = 0.0
    layout: str = "auto"
    block: tuple[int, ...] | None = None
    reencode: bool = False
    fc: str = "off"
    lean_download: bool = False
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.layout not in _LAYOUTS:
            raise UsageError(f"there is no layout {self.layout!r}", hint=f"layouts: {_LAYOUTS}")
        if self.fc not in _DIRECT:
            raise UsageError(f"fc is {self.fc!r}", hint=f"possible: {_DIRECT}")
        if not 0 <= self.min_sparsity <= 1 or not 0 <= self.min_ratio <= 1:
            raise UsageError("a share lies between 0 and 1")
        if not (math.isfinite(self.zero_below) and self.zero_below >= 0):
            raise UsageError(f"weights cannot be set to zero below {self.zero_below}")
        if self.layout == "google" and self.block:
            raise UsageError(
                "Google's exporter writes no blocks in front of DENSIFY",
                hint="leave out one of layout and block",
            )
        if self.block and any(size < 1 for size in self.block):
            raise UsageError("a block's sizes are 1 or more")


class DensifyOptions(Record, frozen=True):
    """What to store dense.

    Attributes:
        selection: the weights that may be touched.
        values: the smallest numbers that may stay behind a DEQUANTIZE: int8 lets all stay as they
            are, fp16 unpacks int8, and fp32 unpacks all.
    """

    selection: WeightSelection = WeightSelection()
    values: StoredValues = StoredValues.INT8


def _any_match(names: list[str], patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)
