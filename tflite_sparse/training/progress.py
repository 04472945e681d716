"""How many zeros there are while a model is trained, and what they will win, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.pruning.result import Speed
from tflite_sparse.records import Count, Record, Share
from tflite_sparse.words.numbers import count_of, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tflite_sparse.training.eligible_types import EligibleModel

__all__ = ["MaskReport", "MaskedLayer", "report_of"]


class MaskedLayer(Record, frozen=True):
    """A layer with zeros.

    Attributes:
        name: what the framework calls it.
        elements: number of its values.
        zeros: how many of them are zero.
    """

    name: str
    elements: Count
    zeros: Count


class MaskReport(Record, frozen=True):
    """The zeros after some steps.

    Attributes:
        step: steps done.
        zeros: share of zeros in the layers that are pruned.
        layers: these layers.
        speed: what `optimize` would make of the model with these zeros, by target; none where
            nothing is known but the names of layers.
    """

    step: Count
    zeros: Share
    layers: tuple[MaskedLayer, ...]
    speed: tuple[Speed, ...]

    def __str__(self) -> str:
        """One line: zeros, and what comes of them on each target."""
        elements = sum(layer.elements for layer in self.layers)
        zeros = sum(layer.zeros for layer in self.layers)
        where = count_of(len(self.layers), "layer")
        parts = [f"step {self.step}: {percent(zeros, elements)} zeros in {where}"]
        for speed in self.speed:
            words = f"{speed.target} {speed.sparse} sparse"
            if speed.ms and speed.dense_ms:
                words += f", {speed.dense_ms / speed.ms:.2f} times as fast"
            parts.append(words)
        return "; ".join(parts)


def report_of(
    step: int,
    counts: Mapping[str, tuple[int, int]],
    layers: EligibleModel | None,
    masks: Mapping[str, NDArray[Any]],
) -> MaskReport:
    """What is to be told after some steps.

    Args:
        step: steps done.
        counts: layer -> zeros, and of how many values.
        layers: the layers whose zeros count; None where that is not known.
        masks: layer -> what is not zero, in its shape.
    """
    lines = tuple(MaskedLayer(name, size, zeros) for name, (zeros, size) in counts.items())
    share = sum(line.zeros for line in lines) / sum(line.elements for line in lines)
    speed = () if layers is None else layers.speeds(masks)
    return MaskReport(step, share, lines, speed)
