"""How much faster a model would be at most if all its convolutions ran sparse: an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.records import Record
from tflite_sparse.xnnpack.cost.estimate import sparse_saving
from tflite_sparse.xnnpack.cost.prices import COSTS, PER_INSTRUCTION, PLANNED_ON, Costs
from tflite_sparse.xnnpack.cost.wide import wide_saving

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import PlannedTarget

__all__ = ["PossibleGain", "gain_costs", "gain_words", "possible_gain", "where_words"]

_BROWSER = "wasm"
_DEPTHWISE = "DEPTHWISE_CONV_2D"
_ENTRY = (3, 3, 3)
_NS_PER_MS = 1e6


class PossibleGain(Record, frozen=True):
    """How much faster a model could be than it is dense, at most.

    Attributes:
        target: name of the target that it is estimated for.
        times: how many times as fast, or how many times fewer instructions it takes, before what a
            rewrite may add to the graph.
        counted: whether it is of instructions, which are no time.
    """

    target: str
    times: float
    counted: bool = False

    @property
    def words(self) -> str:
        """The gain as part of a sentence: "1.8 times as fast in the browser"."""
        return gain_words(self.times, self.target, counted=self.counted)


def gain_words(times: float, target: str | None, *, counted: bool) -> str:
    """A gain as part of a sentence: "1.8 times as fast in the browser".

    Args:
        times: how many times as fast, or how many times fewer instructions.
        target: name of the target.
        counted: whether it is of instructions.
    """
    what = "fewer instructions" if counted else "as fast"
    return f"{times:.1f} times {what} {where_words(target)}"


def where_words(target: str | None) -> str:
    """A target as part of a sentence: "in the browser".

    Args:
        target: its name.
    """
    return "in the browser" if target == _BROWSER else f"on {target}"


def gain_costs(target: str) -> Costs:
    """The prices by which gains on a target are estimated, in nanoseconds or instructions."""
    return COSTS.get(target) or PER_INSTRUCTION[target]


def possible_gain(inspection: Inspection, zeros: float | None = None) -> PossibleGain | None:
    """What sparse kernels for all convolutions would win at most, wider ones as sums of 1x1 ones.

    Args:
        inspection: what is known of the model, with all its weights.
        zeros: the share of zeros that the filters would have, 0 to 1; None for those they have.

    Returns:
        The gain on the first target for which there are measured prices, or else counted ones;
        None without such a target, or where nothing would be won.
    """
    target = _priced(inspection)
    if target is None:
        return None
    dense, costs = _dense(target), gain_costs(target.name)
    if not dense:
        return None
    saved = 0.0
    for weight in inspection.weights:
        if not (weight.pointwise or weight.wide) or not weight.elements:
            continue
        share = (weight.zeros or 0) / weight.elements if zeros is None else zeros
        for use in weight.uses:
            if use.pointwise:
                channels = weight.shape[-1], weight.shape[0]
                saved += max(0.0, sparse_saving(use.macs, channels, share, costs))
            elif use.wide:
                saved += max(0.0, wide_saving(use.macs, weight.shape, share, costs))
    if saved > 0:
        # Depthwise convolutions between them take less time in the sparse layout, entries more.
        entries = sum(
            use.macs for w in inspection.weights if w.shape[1:] == _ENTRY for use in w.uses
        )
        depthwise = sum(op.macs for op in inspection.operators if op.name == _DEPTHWISE)
        saved += depthwise * (costs.depthwise - costs.depthwise_sparse)
        saved -= entries * (costs.entry - costs.dense)
    left = dense - saved
    if left <= 0 or saved <= 0:
        return None
    return PossibleGain(target.name, dense / left, target.estimate is None)


def _dense(target: PlannedTarget) -> float:
    """What the dense model costs, in nanoseconds or instructions; 0 where nothing tells."""
    if target.estimate is not None:
        return target.estimate.dense_ms * _NS_PER_MS
    processors = () if target.instructions is None else target.instructions.processors
    return next((float(p.dense) for p in processors if p.processor == PLANNED_ON), 0.0)


def _priced(inspection: Inspection) -> PlannedTarget | None:
    targets = [target for group in inspection.runtime for target in group.targets]
    priced = [t for t in targets if t.estimate is not None and t.name in COSTS]
    counted = [t for t in targets if t.instructions is not None and t.name in PER_INSTRUCTION]
    return min(priced or counted, key=lambda target: target.name != _BROWSER, default=None)
