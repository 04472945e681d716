"""TRANSPOSE_CONV: `prune` makes zeros in it where `optimize` then makes it run sparse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.adapted import through
from tflite_sparse.model import Model
from tflite_sparse.pruning.filters import find_filters
from tflite_sparse.pruning.judge import judge
from tflite_sparse.pruning.options import Method, PruneOptions
from tflite_sparse.pruning.prune import prune
from tflite_sparse.runtime.inputs import input_specs, random_inputs

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.pruning.result import PrunedFilter, PrunedModel

SIZE = (48, 48)


def net(stride: int = 2) -> Model:
    def block(g: GraphBuilder, x: Value) -> Value:
        x = g.conv2d(x, 192, bias=True)
        x = g.transpose_conv(x, 32, 3, stride, bias=True, activation="RELU")
        return g.conv2d(x, 64, bias=True)

    return Model.read(through(block, SIZE))


def transposed(made: PrunedModel) -> PrunedFilter:
    (found,) = (
        pruned
        for pruned in made.report.filters
        if pruned.weight.operators[0].startswith("TRANSPOSE_CONV")
    )
    return found


def test_filters_of_transposed_convolutions_are_pruned_and_then_run_sparse() -> None:
    made = prune(net(), PruneOptions(zeros=0.8, method=Method.MAGNITUDE))
    pruned = transposed(made)
    assert pruned.zeros / pruned.elements == pytest.approx(0.8, abs=1e-3)
    # Each becomes several 1x1 convolutions, and counts once.
    assert {view.sparse for view in made.report.speed} == {len(made.report.filters)}
    assert not made.report.notes[1:]


def test_those_that_have_no_sparse_form_are_left_and_say_why() -> None:
    selected = find_filters(net(stride=1), PruneOptions(zeros=0.8))
    assert not selected.filters
    (left,) = (
        left for left in selected.left if left.weight.operators[0].startswith("TRANSPOSE_CONV")
    )
    assert left.code == "dense"
    assert left.reason.startswith("it runs dense on arm64")


def test_values_and_bias_of_transposed_convolutions_are_fitted() -> None:
    model = net()
    inputs = random_inputs(input_specs(model), 16)
    signal = {}
    for method in (Method.MAGNITUDE, Method.CALIBRATED):
        options = PruneOptions(zeros=0.8, method=method)
        made = prune(model, options, () if method is Method.MAGNITUDE else inputs[:12])
        signal[method] = judge(model, made.model, inputs[12:]).outputs[0].snr or np.inf
    pruned = transposed(made)
    assert pruned.note is None
    assert pruned.error is not None
    assert pruned.error < 0.3
    bias = next(op for op in model.main.operators if op.name == "TRANSPOSE_CONV").inputs[3]
    moved = made.model.main.tensors[bias.index]
    assert not np.array_equal(bias.data, moved.data)
    assert signal[Method.CALIBRATED] > signal[Method.MAGNITUDE] + 3
