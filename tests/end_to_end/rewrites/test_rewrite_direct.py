"""FULLY_CONNECTED that reads a sparse weight without DENSIFY, on the real runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.builder import ModelBuilder
from tests.support.outputs import outputs
from tests.support.peers.object_api import differences, load
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.densify import densify
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from tflite_sparse.rewrite.changes import Rewrite

DIRECT = SparsifyOptions(fc="direct")
TOLERANCE = 1e-5


def blocks(rng: np.random.Generator, width: int, length: int, zeros: float) -> np.ndarray:
    values = rng.standard_normal((64, width)).astype(np.float32)
    values[np.repeat(rng.random((64, width // length)) < zeros, length, axis=1)] = 0
    return values


def net(
    length: int,
    kind: str = "FLOAT32",
    batch: int = 3,
    zeros: float = 0.85,
    width: int = 128,
    layers: int = 2,
    activation: str = "RELU",
    bias: bool = True,
) -> bytes:
    builder = ModelBuilder(seed=2)
    graph = builder.graph()
    x = graph.input((batch, width), kind, scale=0.02 if kind == "INT8" else None)
    storage = "int8" if kind == "INT8" else "dense"
    for number in range(layers):
        filters = blocks(builder.rng, x.shape[1], length, zeros)
        x = graph.fully_connected(
            x, 64, filters=filters, storage=storage, activation=activation, bias=bias
        )
        if number + 1 < layers and kind == "FLOAT32":
            x = graph.unary("ABS", x)
    graph.output(x)
    return builder.build()


def dynamic(
    columns: int = 256, scales: int = 1, *, asymmetric: bool = True, batch: int = 3
) -> bytes:
    """A FULLY_CONNECTED with float activations and an int8 weight in blocks of 1x16."""
    builder = ModelBuilder(seed=2)
    graph = builder.graph()
    values = np.clip(np.rint(blocks(builder.rng, columns, 16, 0.7) * 40), -127, 127)
    quantized = ([0.02] * scales, [0] * scales, 0)
    operands = [
        graph.input((batch, columns)),
        graph.constant(values.astype(np.int8), quantized=quantized),
        graph.constant(builder.rng.standard_normal(64).astype(np.float32)),
    ]
    options = litert_schema.FullyConnectedOptionsT()
    options.asymmetricQuantizeInputs = asymmetric
    version = 9 if asymmetric else 3
    made = graph.op("FULLY_CONNECTED", operands, [((batch, 64), "FLOAT32")], options, version)
    graph.output(*made)
    return builder.build()


def direct(data: bytes) -> tuple[Rewrite, bytes]:
    model = Model.read(data)
    result = sparsify(model, DIRECT)
    return result, model.to_bytes()


@pytest.mark.parametrize("emulated", [False, True], ids=["native", "emulated"])
@pytest.mark.parametrize("delegate", [True, False], ids=["xnnpack", "tflite"])
def test_every_form_computes_the_same(delegate: bool, emulated: bool) -> None:
    dense = [
        net(1),
        net(4),
        net(1, batch=1, activation="RELU6"),
        net(4, batch=1, layers=1),
        net(1, bias=False),
        net(16, "INT8"),
        net(16, "INT8", batch=1, layers=1, activation="RELU6"),
        dynamic(),
        dynamic(batch=1, columns=4080),
    ]
    results = [direct(data) for data in dense]
    for result, written in results:
        assert result.weights
        assert all(change.note == "read without DENSIFY" for change in result.weights)
        codes = load(written).operatorCodes
        assert all(code.builtinCode != 124 for code in codes)
        assert any(code.version == 8 for code in codes)
    found = outputs(*dense, *(w for _, w in results), emulated=emulated, delegate=delegate)
    for a, b in zip(found[: len(dense)], found[len(dense) :], strict=True):
        assert a is not None
        assert b is not None
        for x, y in zip(a, b, strict=True):
            # Quantized results may be rounded to the neighbour.
            step = 1 if x.dtype == np.int8 else TOLERANCE * (1 + float(np.abs(x).max()))
            assert np.abs(x.astype(np.float64) - y).max() <= step


@pytest.mark.parametrize(("length", "words"), [(1, "CSR"), (4, "blocks 1x4")])
def test_the_smaller_form_is_chosen(length: int, words: str) -> None:
    result, _ = direct(net(length))
    assert all(words in change.after for change in result.weights)
    assert all(("blocks" in change.after) == (length > 1) for change in result.weights)


def test_int8_has_one_form_only() -> None:
    result, _ = direct(net(16, "INT8"))
    assert {change.after for change in result.weights} == {"CSR on dimension 1, blocks 1x16"}
    scattered, _ = direct(net(1, "INT8"))
    assert not scattered.changed
    # Behind DENSIFY, the runtime would refuse an int8 FULLY_CONNECTED.
    assert not sparsify(Model.read(net(16, "INT8"))).changed


def test_what_the_kernels_do_not_read_goes_through_densify_or_is_left() -> None:
    flattened = ModelBuilder(seed=2)
    graph = flattened.graph()
    x = graph.input((2, 4, 4, 8))
    graph.output(graph.fully_connected(x, 64, filters=blocks(flattened.rng, 128, 1, 0.9)))
    result, _ = direct(flattened.build())
    assert [change.note for change in result.weights] == [None]
    assert not direct(net(16, "INT8", bias=False))[0].changed


@pytest.mark.parametrize(
    "data",
    [dynamic(columns=4096), dynamic(scales=64), dynamic(asymmetric=False)],
    ids=["columns", "scales", "symmetric"],
)
def test_dynamic_quantization_is_left_where_the_kernel_goes_wrong(data: bytes) -> None:
    assert not direct(data)[0].changed


def test_densify_gives_back_the_dense_version() -> None:
    for dense in (net(1), net(4, layers=1), net(16, "INT8"), net(1, bias=False), dynamic()):
        _, written = direct(dense)
        model = Model.read(written)
        result = densify(model)
        assert result.operators[0].versions[0][0] == 8
        assert differences(load(dense), load(model.to_bytes())) == []
