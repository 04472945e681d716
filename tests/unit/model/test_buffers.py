"""Numbers of buffers that lead nowhere, as LiteRT takes them (core/interpreter_builder.cc)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.every_table import pack
from tests.support.nets.small_nets import build
from tests.support.peers.object_api import load
from tflite_sparse.errors import ModelError
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model


def without_buffers() -> bytes:
    tree = load(build(lambda g: g.unary("RELU", g.input((1, 4)))))
    tree.buffers = []
    return pack(tree)


def test_buffer_0_of_a_model_without_buffers_is_no_data() -> None:
    model = Model.read(without_buffers())
    assert [tensor.is_constant for tensor in model.main.tensors] == [False, False]
    assert inspect(model).totals.weights == 0
    assert [buffer.index for buffer in Model.read(model.to_bytes()).buffers] == []


def test_what_had_no_data_has_none_when_buffers_are_added() -> None:
    model = Model.read(without_buffers())
    model.add_buffer(np.ones(8, np.uint8))
    again = Model.read(model.to_bytes())
    assert [buffer.nbytes for buffer in again.buffers] == [0, 8]
    assert not any(tensor.is_constant for tensor in again.main.tensors)


def test_metadata_without_a_buffer_have_no_data_then_and_later() -> None:
    tree = load(build(lambda g: g.unary("RELU", g.input((1, 4))), metadata={"note": b"here"}))
    tree.metadata[0].buffer = len(tree.buffers)
    model = Model.read(pack(tree))
    assert model.metadata[0].buffer.nbytes == 0
    model.add_buffer(np.ones(8, np.uint8))
    (entry,) = Model.read(model.to_bytes()).metadata
    assert entry.name == "note"
    assert entry.buffer.nbytes == 0


def test_another_number_beyond_the_buffers_is_refused_as_the_runtime_does() -> None:
    tree = load(build(lambda g: g.unary("RELU", g.input((1, 4)))))
    tree.subgraphs[0].tensors[0].buffer = len(tree.buffers)
    with pytest.raises(ModelError, match="refers to buffer"):
        Model.read(pack(tree))
