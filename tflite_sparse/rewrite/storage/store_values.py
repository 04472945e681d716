"""Stores weights in other numbers, fp16 or int8, that are unpacked to what they computed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tflite_sparse.model.zero_counts import Counts, ZeroCounts
from tflite_sparse.rewrite.changes import (
    Baseline,
    Left,
    Rewrite,
    RewriteKind,
    WeightChange,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.sequence import Sequence
from tflite_sparse.rewrite.storage.sparsify import Sparsify
from tflite_sparse.rewrite.storage.values_edit import ValuesEdit
from tflite_sparse.storage.options import SparsifyOptions
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.safety import FORECAST_TARGET, forecasts, worse
from tflite_sparse.storage.values.decide import ValuesDecision, decide_values
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.forecast import forecast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.model import Model, Subgraph
    from tflite_sparse.storage.values.calibration import Calibration
    from tflite_sparse.storage.values.forms import Converted
    from tflite_sparse.xnnpack.forecast import Forecast

__all__ = ["SparsifyValues", "StoreValues", "sparsify_pass", "store_values"]

_KEPT = "no value became zero, as with further zeros the runtime would do worse"


class StoreValues(ModelPass):
    """Stores weights in other numbers, see `store_values`."""

    name = RewriteKind.SPARSIFY
    summary = "Store weights as fp16 or int8 that compute in fp32."

    def __init__(
        self,
        options: ValuesOptions | None = None,
        storage: SparsifyOptions | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.options = options or ValuesOptions()
        self.storage = storage or SparsifyOptions()
        self.calibration = calibration

    def apply(self, model: Model) -> Rewrite:
        """Decides about every weight, and edits the graph and the buffers of those that change."""
        fits = self.calibration is not None and self.options.values is StoredValues.INT8
        measured = self.calibration(model) if fits and self.calibration else {}
        decisions = decide_values(model, self.options, self.storage, measured)
        counts = ZeroCounts()
        base = forecasts(model, counts)
        careful = _lost(decisions) > 0 and worse(base, _with_zeros(model, decisions, counts))
        if careful:
            options = msgspec.structs.replace(self.options, keep_nonzero=True)
            decisions = decide_values(model, options, self.storage, measured)
        edit = ValuesEdit(model)
        for decision in decisions:
            if decision.converted is not None:
                edit.store(decision, decision.converted)
                for tensor in decision.weight.tensors:
                    counts.tell(tensor, Counts(tensor.size, decision.converted.zeros))
        edit.finish()
        return Rewrite(
            model=model,
            kind=self.name,
            weights=tuple(_change(d, d.converted) for d in decisions if d.converted is not None),
            left=tuple(left for decision in decisions if (left := _left(decision))),
            operators=edit.operator_changes(),
            notes=(*edit.notes(), *((_KEPT,) if careful else ())),
            min_runtime_version=edit.raise_version(),
            expected=tuple(edit.expected),
            baseline=Baseline(tuple(base), counts),
        )


class SparsifyValues(Sequence):
    """Stores weights sparse, then in other numbers."""

    name = RewriteKind.SPARSIFY
    summary = Sparsify.summary

    def __init__(
        self,
        options: ValuesOptions | None = None,
        storage: SparsifyOptions | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        super().__init__(Sparsify(storage), StoreValues(options, storage, calibration))


def sparsify_pass(
    storage: SparsifyOptions | None = None,
    values: ValuesOptions | None = None,
    calibration: Calibration | None = None,
) -> ModelPass:
    """What stores weights sparse, and in other numbers where that is asked for.

    Args:
        storage: which weights, and how.
        values: the numbers; None for those that they have.
        calibration: runs a model on data, to which int8 values are fitted; None for none.
    """
    if values is None or values.values is StoredValues.FP32:
        return Sparsify(storage)
    return SparsifyValues(values, storage, calibration)


def store_values(
    model: Model,
    options: ValuesOptions | None = None,
    storage: SparsifyOptions | None = None,
    calibration: Calibration | None = None,
) -> Rewrite:
    """Stores the weights of operators that compute in fp32 as int8 or fp16, where that is smaller.

    The runtime unpacks them when it loads the model, by a DEQUANTIZE behind the constant, or behind
    the DENSIFY of a sparse one; operators, activations and biases stay what they are. int8 values
    have a scale for each output channel and zero point 0, so that zeros stay zeros. This loses
    information: `result.weights` says how much, weight by weight.

    Args:
        model: the model; it is edited in place. The values are computed when it is written.
        options: the numbers.
        storage: which weights, how sparse ones are encoded, and how much each must save.
        calibration: runs the model on data, to which int8 values are then fitted, such as
            `runtime.activations.calibrate.calibrated` gives; None for none.

    Returns:
        What was done. A second run changes nothing.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding in the model is malformed.
    """
    return StoreValues(options, storage, calibration).run(model)


def _lost(decisions: Iterable[ValuesDecision]) -> int:
    """How many values would become zero."""
    return sum(d.converted.rounding.lost for d in decisions if d.converted is not None)


def _with_zeros(
    model: Model, decisions: Iterable[ValuesDecision], counts: ZeroCounts
) -> list[Forecast]:
    """What would come of each subgraph with the zeros of the rounded weights."""
    zeros: dict[Subgraph, dict[int, int]] = {graph: {} for graph in model.subgraphs}
    for decision in decisions:
        if decision.converted is not None:
            for tensor in decision.weight.tensors:
                zeros[tensor.subgraph][tensor.index] = decision.converted.zeros
    return [
        forecast(graph, FORECAST_TARGET, assume=WhatIf(zeros=zeros[graph]), zeros=counts)
        for graph in model.subgraphs
    ]


def _change(decision: ValuesDecision, converted: Converted) -> WeightChange:
    shape = decision.weight.tensor.shape
    sparse = converted.sparse if decision.sparse else None
    return WeightChange(
        weight=decision.id,
        elements=decision.weight.tensor.size,
        zeros=converted.zeros,
        zeroed=0,
        before=decision.stored,
        after="dense" if sparse is None else sparse.layout.describe(shape),
        bytes_before=decision.bytes_before,
        bytes_after=decision.bytes_after + sum(move.grows for move in decision.biases),
        rounding=converted.rounding,
    )


def _left(decision: ValuesDecision) -> Left | None:
    if not isinstance(decision.outcome, Refusal):
        return None
    tensor = decision.weight.tensor
    code, reason = decision.outcome
    return Left(
        decision.id, None, tensor.size, decision.stored, decision.bytes_before, code, reason
    )
