"""The builder makes models that LiteRT runs, with what was asked for in them."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.support.docs.make_testdata import FOLDER, MODELS
from tests.support.nets.builder import ModelBuilder, append_zip
from tests.support.peers.object_api import load


def run(data: bytes, x: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("name", MODELS)
def test_the_test_data_is_what_its_script_makes(name):
    assert (FOLDER / name).read_bytes() == MODELS[name]()


def test_all_test_data_is_made_by_the_script():
    assert {path.name for path in FOLDER.glob("*.tflite")} == set(MODELS)


def test_a_convolution_computes_what_numpy_computes():
    model = ModelBuilder()
    graph = model.graph()
    filters = np.random.default_rng(0).standard_normal((5, 1, 1, 4)).astype(np.float32)
    x = graph.input((1, 3, 3, 4))
    bias = graph.constant(np.zeros(5, np.float32))
    graph.output(graph.conv2d(x, 5, filters=filters, bias=bias))
    given = np.random.default_rng(1).standard_normal((1, 3, 3, 4)).astype(np.float32)
    wanted = given @ filters[:, 0, 0].T
    assert np.allclose(run(model.build(), given), wanted, atol=1e-5)


@pytest.mark.parametrize("storage", ["sparse", "fp16", "fp16-sparse", "sparse-direct"])
def test_every_storage_of_a_filter_computes_the_same(storage):
    x = np.random.default_rng(1).standard_normal((1, 8)).astype(np.float32)
    outputs = []
    for kind in ("dense", storage):
        model = ModelBuilder()
        graph = model.graph()
        value = graph.input((1, 8))
        graph.output(graph.fully_connected(value, 6, zeros=0.8, storage=kind))
        outputs.append(run(model.build(), x))
    assert np.allclose(*outputs, atol=1e-3)


def test_zeros_are_placed_exactly():
    model = ModelBuilder()
    graph = model.graph()
    x = graph.input((1, 4, 4, 8))
    graph.output(graph.conv2d(x, 16, zeros=2 / 3))
    filters = load(model.build()).buffers[1].data.view(np.float32)
    assert np.count_nonzero(filters == 0) == round(128 * 2 / 3)


def test_data_outside_the_flatbuffer_is_read_by_the_runtime():
    outputs = []
    x = np.ones((1, 4, 4, 3), np.float32)
    for external in (False, True):
        model = ModelBuilder()
        graph = model.graph()
        graph.output(graph.conv2d(graph.input((1, 4, 4, 3)), 4))
        outputs.append(run(model.build(external=external), x))
    assert np.array_equal(*outputs)


def test_an_appended_zip_opens(tmp_path):
    model = ModelBuilder()
    graph = model.graph()
    graph.output(graph.unary("RELU", graph.input((1, 4))))
    path = tmp_path / "m.tflite"
    path.write_bytes(append_zip(model.build(), {"labels.txt": b"cat\n"}))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt") == b"cat\n"


def test_the_same_calls_make_the_same_bytes():
    def build():
        model = ModelBuilder(seed=4)
        graph = model.graph()
        graph.output(graph.conv2d(graph.input((1, 4, 4, 3)), 4, zeros=0.5, storage="sparse"))
        return model.build()

    assert build() == build()
