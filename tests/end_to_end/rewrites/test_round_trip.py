"""What was read and written again computes the same on LiteRT, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder, append_zip
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load
from tests.support.real_models import all_real_models, real_model
from tflite_sparse.model import Model
from tflite_sparse.runtime.inputs import input_specs, random_inputs
from tflite_sparse.runtime.litert.driver import run_many

# Operators of MediaPipe that LiteRT itself does not have.
CUSTOM = {"face_landmark_with_attention", "selfie_segmentation", "selfie_segmentation_landscape"}


def jobs(data: bytes):
    feeds = random_inputs(input_specs(Model.read(data)), 1)
    return [(data, feeds), (Model.read(data).to_bytes(), feeds)]


def same(before, after) -> bool:
    return before.trials[0].keys() == after.trials[0].keys() and all(
        np.array_equal(value, after.trials[0][name], equal_nan=True)
        for name, value in before.trials[0].items()
    )


@pytest.mark.parametrize("backend", ["xnnpack", "builtin"])
def test_every_real_model_computes_the_same_after_a_round_trip(backend):
    names = all_real_models()
    work = [job for name in names for job in jobs(real_model(name).read_bytes())]
    results = list(run_many(work, backend=backend, timeout=120))
    for name, before, after in zip(names, results[::2], results[1::2], strict=True):
        assert before.status == after.status, name
        assert before.ok or name in CUSTOM, (name, before.detail)
        assert not before.ok or same(before, after), name


@pytest.mark.parametrize("storage", ["dense", "sparse", "fp16", "fp16-sparse", "int8"])
@pytest.mark.parametrize("external", [False, True])
def test_generated_models_compute_the_same_after_a_round_trip(storage, external):
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 16, 16, 3))
    x = graph.conv2d(graph.pad_spatial(x), 8, 3, 2, "VALID", storage="dense")
    x = graph.conv2d(graph.depthwise(x), 16, zeros=0.7, storage=storage)
    graph.output(graph.fully_connected(graph.mean(x), 4))
    data = append_zip(builder.build(external=external), {"labels.txt": b"cat\n"})
    before, after = run_many(jobs(data))
    assert before.ok, before.detail
    assert same(before, after)


@pytest.mark.parametrize("size", [0, 32])
def test_litert_looks_outside_the_flatbuffer_only_where_nothing_is_inside(size):
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.fully_connected(graph.input((1, 4)), 2, bias=False))
    model = load(builder.build())
    weights = next(buffer for buffer in model.buffers if buffer.data is not None)
    weights.data = np.ones(size // 4, np.float32).view(np.uint8)
    # Somewhere in the file, as many bytes as the weights need.
    weights.offset, weights.size = 64, 32
    data = pack(model)
    feeds = random_inputs(input_specs(Model.read(data)), 1)
    (found,) = run_many([(data, feeds)])
    constant = next(t for t in Model.read(data).main.tensors if t.name.startswith("constant"))
    assert (constant.is_constant, constant.buffer.external) == (size > 0, False)
    assert found.ok == (size > 0)
    if size:
        (result,) = found.trials[0].values()
        assert np.allclose(result, feeds[0]["0"].sum(), atol=1e-5)
