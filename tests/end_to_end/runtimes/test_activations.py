"""What inner tensors hold when LiteRT runs a model, and the moments of what filters read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.failing import refused
from tests.support.nets.small_nets import build
from tests.support.real_models import real_model
from tflite_sparse.errors import RuntimeFailureError
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.runtime.activations import capture
from tflite_sparse.runtime.activations.capture import activations, filter_moments
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.storage.moments.reads import filter_read
from tflite_sparse.storage.values.readers import filter_of

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.model import Operator
    from tflite_sparse.runtime.observations import Outputs

Activations = dict[int, np.ndarray]


def every_filter(g: GraphBuilder) -> tuple[Value, ...]:
    """Convolutions of all kinds, without activations, in front of which nothing is seen."""
    x = g.conv2d(g.input((1, 11, 14, 3)), 8, kernel=3, stride=2)
    x = g.conv2d(g.pad_spatial(x, 1), 8, kernel=3, padding="VALID", zeros=0.7)
    x = g.conv2d(x, 4, kernel=(2, 3), dilation=2)
    x = g.depthwise(x, kernel=5, stride=2, multiplier=2)
    x = g.conv2d(x, 6, zeros=0.8, storage="sparse")
    x = g.transpose_conv(x, 5, (3, 4), (2, 3), bias=True)
    x = g.transpose_conv(x, 3, (2, 3), (1, 2), "VALID")
    x = g.transpose_conv(x, 2, 1, 2)
    return x, g.fully_connected(g.mean(x), 4)


def made(model: Model, trials: int) -> tuple[Outputs, ...]:
    return random_inputs(input_specs(model), trials)


def computed(operator: Operator, held: Activations) -> np.ndarray:
    """What an operator computes, by what its filter is said to read."""
    read, use = filter_read(operator), trace_constant(operator, 1)
    assert read is not None
    assert use is not None
    place = filter_of(operator)
    assert place is not None
    filt, bias = decoded(use.constant), trace_constant(operator, place.bias)
    if operator.name == "DEPTHWISE_CONV_2D":
        filt = filt.reshape(-1, filt.shape[3]).T
    rows = read.values(held[read.tensor])
    parts = filt.reshape(read.groups, -1, read.columns).swapaxes(1, 2)
    products = np.concatenate(list(rows @ parts), axis=1)
    return products + (0 if bias is None else decoded(bias.constant))


def test_what_a_filter_reads_times_the_filter_is_what_its_operator_computes():
    model = Model.read(build(every_filter))
    filters = [op for op in model.main.operators if filter_read(op) is not None]
    assert len(filters) == 9
    wanted = [n for op in filters for n in (filter_read(op).tensor, op.outputs[0].index)]
    (held,) = activations(model.to_bytes(), wanted, made(model, 1))
    for operator in filters:
        output = held[operator.outputs[0].index]
        found = computed(operator, held).reshape(output.shape)
        np.testing.assert_allclose(found, output, rtol=1e-4, atol=1e-4)


def test_moments_tell_what_an_error_of_a_weight_does(monkeypatch):
    model = Model.read(build(every_filter))
    reads = [read for op in model.main.operators if (read := filter_read(op)) is not None]
    inputs = made(model, 5)
    held = list(activations(model.to_bytes(), [read.tensor for read in reads], inputs))
    # As if there were little memory: several runs, and some inputs at a time.
    monkeypatch.setattr(capture, "_MOST_MOMENTS", 25_000)
    monkeypatch.setattr(capture, "_MOST_AT_ONCE", 2)
    found = filter_moments(model.to_bytes(), reads, inputs)
    small = {read for read in reads if read.nbytes <= 25_000}
    assert set(found) == small
    assert len(small) == 7
    error = np.random.default_rng(0)
    for read, moments in found.items():
        rows = np.concatenate([read.values(one[read.tensor]) for one in held], axis=1)
        e = error.normal(size=(read.groups, read.columns))
        outputs = np.einsum("gpc,gc->gp", rows.astype(float), e)
        assert moments.count == rows.shape[1]
        squares = np.einsum("gc,gcd,gd->g", e, moments.second, e)
        np.testing.assert_allclose(squares, np.square(outputs).sum(axis=1), rtol=1e-4)
        means = np.einsum("gc,gc->g", e, moments.mean)
        np.testing.assert_allclose(means, outputs.mean(axis=1), rtol=1e-4, atol=1e-5)
        spreads = np.einsum("gc,gcd,gd->g", e, moments.covariance, e)
        np.testing.assert_allclose(spreads, outputs.var(axis=1), rtol=1e-3, atol=1e-6)


def test_of_a_large_map_some_positions_stand_for_all():
    model = Model.read(build(lambda g: g.conv2d(g.input((1, 200, 200, 3)), 4, kernel=3, stride=1)))
    (read,) = [filter_read(op) for op in model.main.operators]
    wide = read._replace(columns=27 * 64, tensor=0)
    values = np.random.default_rng(0).normal(size=(1, 200, 200, 192)).astype(np.float32)
    rows = wide.values(values)
    assert rows.shape[1] < 200
    assert np.array_equal(rows, wide.values(values))
    assert rows.var() == pytest.approx(1, abs=0.05)


def test_tensors_inside_a_real_net_are_those_of_the_outputs_behind_them():
    path = real_model("face_landmark")
    model = Model.read(path)
    inputs = made(model, 1)
    (held,) = activations(path, [t.index for t in model.main.outputs], inputs)
    (outputs,) = run(path, inputs).trials
    for tensor, value in zip(model.main.outputs, outputs.values(), strict=True):
        np.testing.assert_allclose(held[tensor.index], value, rtol=1e-3, atol=1e-3)


def test_a_model_that_does_not_run_is_an_error():
    model = Model.read(refused())
    with pytest.raises(RuntimeFailureError, match="does not run the model: load-failure"):
        list(activations(refused(), [0], made(model, 1)))
