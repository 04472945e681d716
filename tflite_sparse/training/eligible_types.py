"""Which layers' zeros will count, as data."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.model import Model
from tflite_sparse.pruning.filters import Selected
from tflite_sparse.pruning.options import PruneOptions
from tflite_sparse.pruning.speed import speeds
from tflite_sparse.records import Count, Record
from tflite_sparse.report.text.table import Column, table
from tflite_sparse.storage.weight_id import WeightId
from tflite_sparse.training.matching import Match
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tflite_sparse.pruning.result import Speed

__all__ = ["Counts", "Eligibility", "EligibleLayer", "EligibleModel", "OnTarget"]

_WIDTH = 100


class Counts(str, Enum):
    """Whether the zeros of a layer count on a target, once there are enough of them."""

    YES = "yes"
    ADAPTED = "optimized"
    NO = "no"

    def __str__(self) -> str:
        return self.value


class OnTarget(Record, frozen=True):
    """What becomes of a layer's zeros on a target.

    Attributes:
        target: the target.
        counts: "yes" as the model is exported, "optimized" once `optimize` has mended what stands
            in the way, "no" in neither case.
        why: what stands in the way, null for "yes".
    """

    target: str
    counts: Counts
    why: str | None


class EligibleLayer(Record, frozen=True):
    """A layer and its zeros.

    Attributes:
        name: what the framework calls the layer.
        kind: its class, such as "Conv2d".
        shape: of its weight, as the framework has it.
        elements: number of its values.
        weight: the weight of the `.tflite` file that it becomes; null where none was found.
        by_values: whether the values of that weight tell so; else the order of equal shapes.
        targets: what becomes of its zeros, by target.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    elements: Count
    weight: WeightId | None
    by_values: bool
    targets: tuple[OnTarget, ...]

    @property
    def counts(self) -> bool:
        """Whether its zeros count on every target."""
        return bool(self.targets) and all(t.counts is not Counts.NO for t in self.targets)


class Eligibility(Record, frozen=True):
    """Which layers' zeros will count.

    Attributes:
        targets: the targets.
        layers: the layers with weights, in the framework's order.
        unmatched: names of weights of the file that could have zeros, and are no layer's.
    """

    targets: tuple[str, ...]
    layers: tuple[EligibleLayer, ...]
    unmatched: tuple[str, ...]


class EligibleModel(msgspec.Struct, frozen=True, eq=False):
    """Which layers' zeros will count, and the model by which that is known.

    Attributes:
        report: the layers.
        model: the model as the runtime gets it.
        selected: the weights of it whose zeros count on every target, and that are layers'.
        matches: number of a selected weight -> its layer.
        options: the targets and blocks that were asked for.
    """

    report: Eligibility
    model: Model
    selected: Selected
    matches: dict[int, Match]
    options: PruneOptions

    @property
    def names(self) -> tuple[str, ...]:
        """The layers whose zeros count on every target."""
        return tuple(layer.name for layer in self.report.layers if layer.counts)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return self.report.to_dict()

    def speeds(self, masks: Mapping[str, NDArray[np.bool_]]) -> tuple[Speed, ...]:
        """What comes of masks, once `optimize` has made the small and fast file.

        Args:
            masks: layer -> what is not zero, in the layer's shape.
        """
        pruned = self.model.copy()
        for prunable in self.selected.filters:
            match = self.matches[prunable.number]
            mask = masks.get(match.layer.name)
            if mask is None:
                continue
            values = np.asarray(prunable.weight.tensor.data)
            kept = match.stored(mask)
            # What the file has zero already stays a value here: the mask alone tells of zeros.
            shown = np.where(kept, np.where(values == 0, 1, values), 0).astype(values.dtype)
            for tensor in prunable.weight.tensors:
                tensor.twin_in(pruned).buffer.data = shown
        return speeds(pruned, self.options, self.selected.filters)

    def __repr__(self) -> str:
        """The layers as a table, and what stands in the way."""
        layers = self.report.layers
        targets = self.report.targets
        columns = [Column("layer", gives_way=True), Column("kind"), Column("shape")]
        columns += [Column(target) for target in targets]
        rows = [
            [
                layer.name,
                layer.kind,
                "x".join(map(str, layer.shape)),
                *([str(t.counts) for t in layer.targets] or ["no"] * len(targets)),
            ]
            for layer in layers
        ]
        lines = [f"zeros count in {len(self.names)} of {count_of(len(layers), 'layer')}", ""]
        lines += [str(line) for line in table(columns, rows, _WIDTH)]
        lines += [*_reasons(layers), *(f"  no layer has {name}" for name in self.report.unmatched)]
        return "\n".join(lines)


def _reasons(layers: tuple[EligibleLayer, ...]) -> list[str]:
    """What stands in the way, each once with the layers that it concerns."""
    concerned: dict[tuple[Counts, str], list[str]] = {}
    for layer in layers:
        for there in layer.targets:
            if there.why is not None:
                names = concerned.setdefault((there.counts, there.why), [])
                if layer.name not in names:
                    names.append(layer.name)
    words = {Counts.NO: "does not count", Counts.ADAPTED: "optimize mends what stands in the way"}
    lines = []
    for (counts, why), names in concerned.items():
        others = f" and {count_of(len(names) - 1, 'other')}" if len(names) > 1 else ""
        lines.append(f"  {names[0]}{others}: {words[counts]}: {why}")
    return ["", *lines] if lines else []
