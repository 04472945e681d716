"""How much faster a model would be at most if all its convolutions ran sparse: an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.records import Record
from tflite_sparse.xnnpack.cost.estimate import sparse_saving
from tflite_sparse.xnnpack.cost.prices import COSTS
from tflite_sparse.xnnpack.cost.wide import wide_saving

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.runtime_types import PlannedTarget

__all__ = ["PossibleGain", "possible_gain"]

_BROWSER = "wasm"
_DEPTHWISE = "DEPTHWISE_CONV_2D"
_ENTRY = (3, 3, 3)
_NS_PER_MS = 1e6


class PossibleGain(Record, frozen=True):
    """How much faster a model could be than it is dense, at most.

    Attributes:
        target: name of the target that it is estimated for.
        times: how many times as fast, before what a rewrite may add to the graph.
    """

    target: str
    times: float

    @property
    def where(self) -> str:
        """The target in a sentence: "in the browser"."""
        return "in the browser" if self.target == _BROWSER else f"on {self.target}"


def possible_gain(inspection: Inspection, zeros: float | None = None) -> PossibleGain | None:
    """What sparse kernels for all convolutions would win at most, wider ones as sums of 1x1 ones.

    Args:
        inspection: what is known of the model, with all its weights.
        zeros: the share of zeros that the filters would have, 0 to 1; None for those they have.

    Returns:
        The gain on the first target for which there are measured prices; None without such a
        target, or where nothing would be won.
    """
    target = _priced(inspection)
    if target is None or target.estimate is None or not target.estimate.dense_ms:
        return None
    costs = COSTS[target.name]
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
    left = target.estimate.dense_ms - saved / _NS_PER_MS
    if left <= 0 or saved <= 0:
        return None
    return PossibleGain(target.name, target.estimate.dense_ms / left)


def _priced(inspection: Inspection) -> PlannedTarget | None:
    targets = [target for group in inspection.runtime for target in group.targets]
    priced = [t for t in targets if t.estimate is not None and t.name in COSTS]
    return min(priced, key=lambda target: target.name != _BROWSER, default=None)
