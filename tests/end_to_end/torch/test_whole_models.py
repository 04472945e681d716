"""Whole models as PyTorch modules, against LiteRT; weights put back into their files."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from tests.end_to_end.torch.same import assert_same_as_litert, distance, inputs_of, outputs_of
from tests.support.architectures import ARCHITECTURES, OUT_OF_REACH, build
from tests.support.litert import invoke
from tests.support.nets.builder import ModelBuilder
from tests.support.real_models import real_model
from tflite_sparse.errors import RewriteError, UsageError
from tflite_sparse.model import Model
from tflite_sparse.torch import from_tflite

REAL = [
    "face_detection_back",
    "face_detection_full_range_sparse",
    "hand_landmark_full",
    "hand_recrop",
    "iris_landmark",
    "palm_detection_full",
    "pose_detection",
    "pose_landmark_full",
]
# Between them they have every operator of the others but a few that have tests of their own.
QUICK = {
    "hand_recrop",
    "iris_landmark",
    "mobilenet_v3_small",
    "unet_transposed",
    "siamese",
    "yolox",
}


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in REAL]
)
def test_real_model(name):
    data = real_model(name).read_bytes()
    assert_same_as_litert(data, inputs_of(data, 0, 1))


def test_real_model_with_a_custom_operator():
    # LiteRT runs it by XNNPACK alone, and what it makes of noise is next to nothing.
    data = real_model("selfie_segmentation").read_bytes()
    assert_same_as_litert(data, inputs_of(data, 0, 1), resolvers=(True,), near=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in (*ARCHITECTURES, *OUT_OF_REACH)
    ],
)
def test_architecture(name):
    architecture = ARCHITECTURES.get(name) or OUT_OF_REACH[name]
    data = build(name, small=True)
    assert_same_as_litert(data, inputs_of(data, architecture.low, architecture.high))


@pytest.mark.parametrize("name", ["ssd", "efficientnet_b0_reshaped"])
def test_a_larger_batch_is_the_same_as_one_after_another(name):
    data = build(name, small=True)
    module = from_tflite(data)
    together = inputs_of(data, times=3)
    apart = [
        outputs_of(module, {key: value[i : i + 1] for key, value in together.items()})
        for i in range(3)
    ]
    for index, output in enumerate(outputs_of(module, together)):
        assert distance(np.concatenate([one[index] for one in apart]), output) < 1e-5


def _small(storage="dense"):
    model = ModelBuilder()
    graph = model.graph()
    x = graph.input((1, 8, 8, 3))
    x = graph.conv2d(x, 8, 3, 2, activation="RELU6", storage=storage, name="first")
    shared = graph.constant(np.full((8, 1, 1, 8), 0.1, np.float32), storage=storage)
    x = graph.conv2d(x, 8, filters=shared)
    x = graph.conv2d(graph.add(x, 3.0), 8, filters=shared)
    graph.output(graph.mean(x))
    model.metadata("about", b"kept")
    return model.build()


@pytest.mark.parametrize("storage", ["dense", "fp16"])
def test_trained_weights_go_back_into_the_file_and_all_else_stays(storage):
    data = _small(storage)
    module = from_tflite(data)
    model = Model.read(data)
    assert module.write_back(model) == 0
    assert model.to_bytes() == Model.read(data).to_bytes()
    with torch.no_grad():
        for weight in module.weights.values():
            weight.copy_((weight * 1.5).half())
    # Two filters, one of them shared, and three biases; the 3.0 is not learnt.
    assert len(module.weights) == 5
    assert module.write_back(model) == 5
    written = model.to_bytes()
    assert len(written) == len(Model.read(data).to_bytes())
    inputs = inputs_of(data)
    (there,) = invoke(written, inputs).values()
    (here,) = outputs_of(module, inputs)
    assert distance(there, here) < 1e-5
    assert distance(next(iter(invoke(data, inputs).values())), here) > 0.1
    again = Model.read(written)
    names = [operator.name for operator in again.operators()]
    assert names == [operator.name for operator in Model.read(data).operators()]
    assert bytes(again.metadata[0].buffer.data) == b"kept"
    assert len({t.buffer.index for t in again.main.tensors if t.is_constant}) == len(
        {t.buffer.index for t in Model.read(data).main.tensors if t.is_constant}
    )


def test_only_the_weights_that_changed_are_touched():
    data = _small()
    module, model = from_tflite(data), Model.read(data)
    with torch.no_grad():
        next(iter(module.weights.values())).mul_(2)
    assert module.write_back(model) == 1
    before = [tensor.data for tensor in Model.read(data).main.tensors if tensor.is_constant]
    after = [tensor.data for tensor in model.main.tensors if tensor.is_constant]
    differing = [not np.array_equal(b, a) for b, a in zip(before, after, strict=True)]
    assert sum(differing) == 1


def test_weights_that_cannot_be_stored_are_refused():
    module, model = from_tflite(_small("fp16")), Model.read(_small("fp16"))
    before = model.to_bytes()
    with torch.no_grad():
        [*module.weights.values()][1].fill_(1.0)
        next(iter(module.weights.values())).fill_(1e6)
    with pytest.raises(RewriteError, match="not finite as FLOAT16"):
        module.write_back(model)
    assert model.to_bytes() == before
    other = Model.read(build("mobilenet_v1", small=True))
    with pytest.raises(UsageError, match="the model has no weight"):
        module.write_back(other)


def test_what_is_stored_sparse_or_quantized_keeps_its_values():
    for storage in ("sparse", "fp16-sparse", "int8-values"):
        model = ModelBuilder()
        graph = model.graph()
        x = graph.conv2d(graph.input((1, 4, 4, 4)), 8, storage=storage, bias=True)
        graph.output(x)
        assert len(from_tflite(model.build()).weights) == 1  # the bias


def test_gradients_reach_every_weight():
    data = build("mobilenet_v2_fp16", small=True)
    module = from_tflite(data)
    inputs = [torch.from_numpy(value) for value in inputs_of(data).values()]
    module(*inputs).square().sum().backward()
    assert all(weight.grad is not None for weight in module.weights.values())
    assert sum(bool(weight.grad.any()) for weight in module.weights.values()) > 0.9 * len(
        module.weights
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g, x: g.op("CUMSUM", [x], [(x.shape, "FLOAT32")])[0], "CUMSUM #0: cannot be"),
        (lambda g, x: g.op("MyOwn", [x], [(x.shape, "FLOAT32")])[0], "MyOwn #0: cannot be"),
        (lambda g, x: g.add(x, np.zeros((1, 3, 3, 5), "f4")), "ADD #0: .* do not fit"),
        (
            lambda g, x: g.op("PAD", [x, x], [(x.shape, "FLOAT32")])[0],
            "PAD #0: .* operand 1 only while it runs",
        ),
    ],
)
def test_what_has_no_counterpart_is_named_in_one_line(make, message):
    model = ModelBuilder()
    graph = model.graph()
    made = make(graph, graph.input((1, 8, 8, 4))) if "ADD" not in message else None
    if made is None:
        x = graph.input((1, 8, 8, 4))
        other = graph.constant(np.zeros((1, 3, 3, 5), np.float32))
        made = graph.op("ADD", [x, other], [(x.shape, "FLOAT32")])[0]
    graph.output(made)
    with pytest.raises(UsageError) as caught:
        from_tflite(model.build())
    assert re.search(message, str(caught.value))
    assert "\n" not in str(caught.value)


def test_inputs_of_another_shape_and_batches_that_mix_are_refused():
    model = ModelBuilder()
    graph = model.graph()
    graph.output(graph.transpose(graph.input((1, 8, 8, 4)), (3, 1, 2, 0)))
    module = from_tflite(model.build())
    with pytest.raises(UsageError, match=r"input 0 takes the shape \[1, 8, 8, 4\]"):
        module(torch.zeros(1, 8, 9, 4))
    with pytest.raises(UsageError, match="TRANSPOSE #0: moves values from sample to sample"):
        module(torch.zeros(2, 8, 8, 4))
    with pytest.raises(UsageError, match="takes 1 inputs, was given 2"):
        module(torch.zeros(1, 8, 8, 4), torch.zeros(1, 8, 8, 4))
    with pytest.raises(UsageError, match="no subgraph 1"):
        from_tflite(model.build(), subgraph=1)


def test_inputs_that_are_no_floats_are_refused():
    model = ModelBuilder()
    graph = model.graph()
    graph.output(graph.dequantize(graph.input((1, 8), "INT8", scale=0.1)))
    with pytest.raises(UsageError, match="an input of type INT8"):
        from_tflite(model.build())
