"""Where the moments come from by which weights are rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tflite_sparse.model import Model, Operator
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.storage.moments.moments import Moments

__all__ = ["Calibration", "moments_of"]


class Calibration(Protocol):
    """Runs a model on data; `runtime.activations.calibrate` has one that does so by LiteRT."""

    def __call__(self, model: Model) -> Mapping[Operator, Moments]:
        """Moments of what the filters of operators read; of those for which there are none, none.

        Args:
            model: the model as it is when its weights are rounded.
        """
        ...


def moments_of(weight: Weight, measured: Mapping[Operator, Moments]) -> Moments | None:
    """Moments of all that a weight is multiplied with; None where some of it is not known.

    Args:
        weight: the weight.
        measured: those of operators.
    """
    total: Moments | None = None
    for operator in weight.readers:
        moments = measured.get(operator)
        if moments is None or (total is not None and total.second.shape != moments.second.shape):
            return None
        total = moments if total is None else total + moments
    return total
