"""Which layers' zeros count, by the names that PyTorch gives them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import tflite_sparse.training
from tests.support.training.nets import chain
from tests.support.training.sequential import converted, install
from tflite_sparse.errors import RuntimeUnavailableError, UsageError
from tflite_sparse.model import Model
from tflite_sparse.model.weights import find_weights
from tflite_sparse.training import eligible
from tflite_sparse.training.layers import LayerWeight, layers_of
from tflite_sparse.training.matching import matched

SHAPE = (1, 3, 16, 16)
POINTWISE = ("2.0", "4.0", "6.0", "8.0")
torch.set_num_threads(1)


def test_layers_are_named_before_any_training_whatever_they_begin_with(monkeypatch):
    install(monkeypatch)
    net = chain(width=16).train()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.zeros_(layer.weight)  # as the last one of a residual block begins
    before = {name: value.clone() for name, value in net.state_dict().items()}
    result = eligible(net, torch.zeros(SHAPE))
    assert result.names == POINTWISE
    assert all(layer.by_values for layer in result.report.layers)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    why = {layer.name: layer.targets[0].why for layer in result.report.layers}
    assert why["0.0"] == "a 3x3 convolution, and optimize does not make 1x1 ones of it"
    assert why["1.0"] == "DEPTHWISE_CONV_2D has no sparse kernel"
    assert why["11"] == "sparse kernels are for convolutions alone"
    text = repr(result)
    assert text.startswith("zeros count in 4 of 10 layers\n")
    assert "1.0 and 3 others: does not count: DEPTHWISE_CONV_2D has no sparse kernel" in text
    first = result.to_dict()["layers"][2]
    assert (first["name"], first["kind"], first["shape"]) == ("2.0", "Conv2d", [16, 16, 1, 1])
    assert [there["counts"] for there in first["targets"]] == ["yes", "yes", "yes"]


def test_what_optimize_mends_is_told_from_what_it_leaves():
    reason = (
        "depthwise_conv_2d_1 (DEPTHWISE_CONV_2D) reads conv_2d_0 (CONV_2D), which uses SAME"
        " padding; the first convolution must pad exactly 1 on every side"
    )
    # With few channels there is nothing to win, and optimize leaves the net as it is.
    for width, names, counts in ((32, POINTWISE, "optimized"), (16, (), "no")):
        net = chain(width=width).eval()
        result = eligible(net, tflite=converted(net, SHAPE, same=True), targets=["wasm"])
        assert result.names == names
        (there,) = next(layer for layer in result.report.layers if layer.name == "2.0").targets
        assert (there.counts.value, there.why) == (counts, reason)
        words = "optimize mends what stands in the way" if names else "does not count"
        assert f"  2.0: {words}: {reason}" in repr(result)


def test_a_file_of_another_training_is_matched_by_shapes_and_order():
    file = converted(chain(width=16, seed=1).eval(), SHAPE)
    result = eligible(chain(width=16), tflite=file)
    assert result.names == POINTWISE
    assert not any(layer.by_values for layer in result.report.layers)


def test_weights_of_the_file_that_are_no_layers_are_named():
    net = chain(width=16).eval()
    result = eligible(net[:5], tflite=converted(net, SHAPE))
    assert result.names == ("2.0", "4.0")
    assert len(result.report.unmatched) == 2
    assert repr(result).count("no layer has ") == 2
    # They stay dense, and the cluster needs so many more zeros of the others.
    assert sum(result.selected.other_values.values()) == 2 * 32 * 32


def test_without_a_converter_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(RuntimeUnavailableError, match=r"litert-torch, .*tflite='model\.tflite'"):
        eligible(chain(width=8), torch.zeros(SHAPE))


@pytest.mark.parametrize(
    ("model", "keys", "message"),
    [
        ([1, 2], {}, "a list is neither a module of PyTorch nor a model of Keras 3"),
        (chain(width=8), {}, "an example of the model's input is needed, or the .tflite file"),
    ],
)
def test_what_is_no_model_is_refused(model, keys, message):
    with pytest.raises(UsageError, match=message):
        eligible(model, **keys)


def test_what_the_converter_says_is_kept_to_one_line(monkeypatch):
    install(monkeypatch)
    with pytest.raises(UsageError, match="litert-torch does not convert the model: "):
        eligible(nn.Sequential(nn.Conv3d(1, 2, 1)), torch.zeros(1, 1, 4, 4))


def test_names_that_are_not_there_are_none_and_missing_libraries_are_named(monkeypatch):
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = tflite_sparse.training.other
    assert dir(tflite_sparse.training) == sorted(tflite_sparse.training.__all__)
    for library, message in (("torch", "PyTorch is not installed"), ("keras", "Keras 3 is not")):
        for name in [*sys.modules]:
            if name.startswith(("tflite_sparse.torch.", "tflite_sparse.training.")):
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(RuntimeUnavailableError, match=message):
            _ = tflite_sparse.training.Masks if library == "torch" else _keras_masks()


def _keras_masks():
    return tflite_sparse.training.KerasMasks


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(2, 5), st.integers(4, 9)), min_size=1, max_size=5),
    seed=st.integers(0, 99),
)
def test_any_order_of_filters_is_matched_by_values_behind_any_normalization(sizes, seed):
    from tests.support.nets.builder import ModelBuilder

    rng = np.random.default_rng(seed)
    builder = ModelBuilder()
    graph = builder.graph()
    inputs = 4
    values = []
    x = graph.input((1, 8, 8, inputs))
    for outputs, _ in sizes:
        values.append(rng.standard_normal((outputs, inputs, 1, 1)).astype(np.float32))
        scales = rng.choice([-1, 1], outputs) * rng.uniform(0.01, 9, outputs)
        stored = (values[-1].transpose(0, 2, 3, 1) * scales[:, None, None, None]).astype(np.float32)
        x = graph.conv2d(x, outputs, filters=stored)
        inputs = outputs
    graph.output(x)
    layers = [
        LayerWeight(str(number), "Conv2d", values[number], ((0, 2, 3, 1),))
        for number in rng.permutation(len(values))
    ]
    weights = [w for w in find_weights(Model.read(builder.build())) if w.readers]
    matches = matched(layers, weights)
    assert [match.layer.name for match in matches] == [str(i) for i in range(len(sizes))]
    assert all(match.by_values for match in matches)


def test_the_weights_of_a_wrapped_module_have_the_names_of_the_module_itself():
    net = chain(width=8)
    wrapped = nn.DataParallel(net)
    names = [layer.name for layer in layers_of(net)]
    assert [layer.name for layer in layers_of(wrapped)] == names
