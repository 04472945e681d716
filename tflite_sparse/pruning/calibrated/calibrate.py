"""Prunes filters one after the other, each on what the pruned ones before it give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.errors import RuntimeFailureError
from tflite_sparse.pruning.allocate import Curve, allocated
from tflite_sparse.pruning.calibrated.fitted import Fitted, by_magnitude, put_in
from tflite_sparse.pruning.calibrated.losses import loss_curves
from tflite_sparse.pruning.calibrated.solve import solve
from tflite_sparse.pruning.calibrated.walk import Walk
from tflite_sparse.pruning.edit import bias_of
from tflite_sparse.pruning.filters import reading
from tflite_sparse.storage.moments.reads import filter_read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tflite_sparse.model import Model
    from tflite_sparse.pruning.filters import Prunable, Selected
    from tflite_sparse.pruning.options import PruneOptions
    from tflite_sparse.runtime.observations import Outputs

__all__ = ["Calibrator"]

_SHARED = "several convolutions read it, so that its values were chosen by magnitude"
_UNREAD = "what it reads is not worked out, so that its values were chosen by magnitude"


class Calibrator:
    """Fits values to what the dense model computes.

    Args:
        model: the dense model.
        selected: the filters.
        options: blocks and seed.
        inputs: sets of inputs by position.
        progress: is told which filter is worked on, how many are done, and of how many;
            None for nobody.
    """

    def __init__(
        self,
        model: Model,
        selected: Selected,
        options: PruneOptions,
        inputs: Sequence[Outputs],
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self._model = model
        self._selected = selected
        self._options = options
        self._inputs = inputs
        self._progress = progress

    def allocate(self, zeros: float) -> list[float]:
        """The share of values that each filter keeps, for the least loss.

        Args:
            zeros: share of zeros in all of them together; where a speed is asked for, the share
                with which filters that all have it come to that.
        """
        filters, options = self._selected.filters, self._options
        curves = loss_curves(self._model, self._selected, self._inputs, 1 - zeros, options.block)
        fixed = [options.override(prunable) for prunable in filters]
        curves = [
            curve if share is None else Curve([0.0], [1 - share], curve.size)
            for curve, share in zip(curves, fixed, strict=True)
        ]
        if options.speed is not None:
            # Then the budget is time.
            curves = [
                curve._replace(price=prunable.price)
                for curve, prunable in zip(curves, filters, strict=True)
            ]
        return allocated(self._selected, curves, 1 - zeros)

    def fit(self, kept: Sequence[float]) -> list[Fitted]:
        """The new values of every filter.

        Args:
            kept: the share of values that each keeps.

        Raises:
            RuntimeFailureError: the model does not run, or what a filter reads is not finite.
        """
        pruned = self._model.copy()
        filters = self._selected.filters
        fitted: dict[int, Fitted] = {}
        order = sorted(range(len(filters)), key=lambda i: _place(filters[i]))
        with Walk(self._model, self._inputs, self._options.seed) as walk:
            for done, number in enumerate(order):
                prunable = filters[number]
                if self._progress is not None:
                    self._progress(prunable.id.name, done, len(order))
                walk.to(_place(prunable), pruned)
                fit = self._fitted(prunable, kept[number], walk)
                put_in(pruned, prunable, fit)
                fitted[number] = fit
        return [fitted[number] for number in range(len(filters))]

    def _fitted(self, prunable: Prunable, kept: float, walk: Walk) -> Fitted:
        values = prunable.values
        operator = reading(prunable.weight)
        read = None if operator is None else filter_read(operator)
        if operator is None or read is None or read.groups != 1:
            note = _SHARED if operator is None else _UNREAD
            return by_magnitude(prunable, kept, self._options.block, note)
        rows = values.reshape(len(values), -1)
        bias = bias_of(operator)
        fit = solve(
            rows, walk.sums(read, rows), kept, self._options.block, centred=bias is not None
        )
        if not (np.isfinite(fit.rows).all() and np.isfinite(fit.shift).all()):
            raise RuntimeFailureError(
                f"{prunable.id.name} cannot be fitted: what it reads on the data is not finite",
                hint="look for NaN and infinity in the data",
            )
        moved = None
        if bias is not None and bias.data is not None:
            moved = (bias, np.asarray(bias.data, np.float64) + fit.shift)
        return Fitted(fit.rows.astype(np.float32).reshape(values.shape), moved, min(fit.error, 1e6))


def _place(prunable: Prunable) -> int:
    """Index of the first operator that reads a filter."""
    return min(operator.index for operator in prunable.weight.readers)
