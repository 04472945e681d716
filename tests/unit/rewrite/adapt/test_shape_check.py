"""A subgraph that says what cannot be is found out; each case is one edit of a sound one."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.shape_check import shape_mismatch

ORDER = ("PAD", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "MEAN", "FULLY_CONNECTED")


def sound() -> bytes:
    builder = ModelBuilder()
    g = builder.graph()
    x = g.pad_spatial(g.input((1, 8, 8, 4)))
    x = g.depthwise(g.conv2d(x, 8))
    x = g.mean(g.depth_to_space(x, 2))
    g.output(g.fully_connected(x, 3))
    return builder.build()


def operands(kind, *indices):
    """Lets an operator read these of its own operands; None is one that is left out."""

    def change(graph):
        op = graph.operators[ORDER.index(kind)]
        kept = [-1 if i is None else op.inputs[i] for i in indices]
        op.inputs = np.array(kept, np.int32)

    return change


def shaped(kind, operand, *shape):
    """Gives an operand of an operator another shape."""

    def change(graph):
        tensor = graph.tensors[graph.operators[ORDER.index(kind)].inputs[operand]]
        tensor.shape = np.array(shape, np.int32)

    return change


def option(kind, name, value):
    return lambda graph: setattr(graph.operators[ORDER.index(kind)].builtinOptions, name, value)


def results(kind, find):
    """Lets an operator write the tensors that `find` chooses."""

    def change(graph):
        op = graph.operators[ORDER.index(kind)]
        op.outputs = np.array(find(op), np.int32)

    return change


def turned(graph):
    graph.operators.reverse()


def longer(graph):
    tensor = graph.tensors[graph.operators[ORDER.index("CONV_2D")].outputs[0]]
    tensor.shape = tensor.shape + np.array([0, 1, 0, 0], np.int32)


def held(graph):
    op = graph.operators[ORDER.index("FULLY_CONNECTED")]
    graph.tensors[op.outputs[0]].buffer = graph.tensors[op.inputs[2]].buffer


def of_another(graph):
    conv, depthwise = (
        graph.operators[ORDER.index(kind)] for kind in ("CONV_2D", "DEPTHWISE_CONV_2D")
    )
    conv.builtinOptionsType, conv.builtinOptions = (
        depthwise.builtinOptionsType,
        depthwise.builtinOptions,
    )


BEFORE, WRITTEN = "reads a tensor before it is computed", "has its value already"
UNFIT = "do not fit together"
CASES = {
    "operators in another order": (turned, BEFORE),
    "a constant that is written": (held, WRITTEN),
    "a tensor that is written twice": (
        results("DEPTHWISE_CONV_2D", lambda op: op.inputs[:1]), WRITTEN,
    ),
    "no result": (results("FULLY_CONNECTED", lambda _: []), UNFIT),
    "an operand too few": (operands("CONV_2D", 0), UNFIT),
    "a filter that is left out": (operands("CONV_2D", 0, None), UNFIT),
    "paddings that are left out": (operands("PAD", 0, None), UNFIT),
    "a result of another size": (longer, UNFIT),
    "a filter of two dimensions": (shaped("CONV_2D", 1, 8, 4), UNFIT),
    "a filter without inputs": (shaped("CONV_2D", 1, 8, 1, 1, 0), UNFIT),
    "a filter of other inputs": (shaped("CONV_2D", 1, 8, 1, 1, 3), UNFIT),
    "a bias of another size": (shaped("CONV_2D", 2, 4), UNFIT),
    "a kernel of no height": (shaped("CONV_2D", 1, 8, 0, 1, 4), UNFIT),
    "a stride of zero": (option("CONV_2D", "strideW", 0), UNFIT),
    "a dilation of zero": (option("CONV_2D", "dilationHFactor", 0), UNFIT),
    "options of another operator": (of_another, "has the options of another operator"),
    "blocks of no size": (option("DEPTH_TO_SPACE", "blockSize", 0), UNFIT),
    "blocks that do not divide": (option("DEPTH_TO_SPACE", "blockSize", 3), UNFIT),
    "a filter without depth": (shaped("FULLY_CONNECTED", 1, 3, 0), UNFIT),
    "paddings of three dimensions": (shaped("PAD", 1, 2, 2, 2), UNFIT),
}  # fmt: skip


def test_a_subgraph_that_the_runtime_finds_so_is_sound():
    assert shape_mismatch(Model.read(sound()).subgraphs[0]) is None
    assert tuple(op.name for op in Model.read(sound()).operators()) == ORDER


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_is_found_out(name):
    change, reason = CASES[name]
    model = load(sound())
    change(model.subgraphs[0])
    found = shape_mismatch(Model.read(pack(model)).subgraphs[0])
    assert found is not None
    assert reason in found[1]


def test_an_axis_that_is_not_there_is_found_out():
    model = load(sound())
    graph = model.subgraphs[0]
    axes = graph.tensors[graph.operators[ORDER.index("MEAN")].inputs[1]]
    model.buffers[axes.buffer].data = np.array([1, 6], np.int32).view(np.uint8)
    found = shape_mismatch(Model.read(pack(model)).subgraphs[0])
    assert found is not None
    assert found[0].name == "MEAN"


def test_a_map_without_channels_is_found_out():
    builder = ModelBuilder()
    g = builder.graph()
    g.output(g.depthwise(g.input((1, 8, 8, 4))))
    model = load(builder.build())
    model.subgraphs[0].tensors[0].shape = np.array([1, 8, 8, 0], np.int32)
    found = shape_mismatch(Model.read(pack(model)).subgraphs[0])
    assert found is not None
    assert UNFIT in found[1]


@pytest.mark.filterwarnings("error")
def test_paddings_whose_sum_is_no_int32_are_found_out():
    model = load(sound())
    graph = model.subgraphs[0]
    pads = graph.tensors[graph.operators[ORDER.index("PAD")].inputs[1]]
    model.buffers[pads.buffer].data = np.full(8, 2**31 - 1, np.int32).view(np.uint8)
    found = shape_mismatch(Model.read(pack(model)).subgraphs[0])
    assert found is not None
    assert UNFIT in found[1]


@pytest.mark.parametrize(("shape", "fits"), [((1, 8, 4), True), ((1, 1, 1, 4), False)])
def test_a_diagonal_that_the_runtime_would_read_beyond_is_found_out(shape, fits):
    builder = ModelBuilder()
    g = builder.graph()
    x = g.input((1, 8, 8, 4))
    diagonal = g.constant(np.ones(shape, np.float32))
    g.output(*g.op("MATRIX_SET_DIAG", [x, diagonal], [((1, 8, 8, 4), "FLOAT32")]))
    found = shape_mismatch(Model.read(builder.build()).subgraphs[0])
    assert (found is None) == fits
