"""A model as it would be with more zeros: what the slider of its page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.inspection.graph_edges import graph_edges
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.survey import Survey
from tflite_sparse.pruning.curve import PruningCurve, pruning_curve
from tflite_sparse.xnnpack.releases.targets import target as target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.model import Model

__all__ = ["SHARES", "Pruned", "pruned"]

SHARES = (0.5, 0.55, 0.6, 0.65, 0.67, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""The shares of zeros of the slider."""


class Pruned(msgspec.Struct, frozen=True, eq=False):
    """A model with more zeros.

    Attributes:
        curve: its size and time over the share of zeros.
        survey: the pruned and optimized model, of which only the graph is looked at.
    """

    curve: PruningCurve
    survey: Survey


def pruned(model: Model, inspection: Inspection, targets: Sequence[str] = ()) -> Pruned | None:
    """What a model would be with more zeros.

    Args:
        model: the model.
        inspection: what is known of it, with all its weights.
        targets: names of the targets on which filters must run sparse; empty for the usual ones.

    Returns:
        That; None for a model that has enough, or would win nothing by more.
    """
    if not inspection.what_if:
        return None
    try:
        curve = pruning_curve(model, SHARES, targets)
    except TfliteSparseError:
        # A page about a model that cannot be rewritten goes without.
        return None
    if curve is None or not any(point.sparse for point in curve.points):
        return None
    names = [time.target for time in curve.points[-1].times]
    seen = [target_of(name) for name in names[:1] or targets[:1] or ("wasm",)]
    looked = inspect(curve.trial, digest=False, gzip=False, targets=seen, releases=())
    return Pruned(curve, Survey(looked, graph_edges(curve.trial), (), ()))
