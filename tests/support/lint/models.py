"""Models that rules of lint find fault with, and like ones that they do not; see cases.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema
from flatbuffers import flexbuffers

from tests.support.forge import Forge
from tests.support.nets.builder import ModelBuilder
from tests.support.nets.every_table import pack
from tests.support.nets.small_nets import build, entry, head, through, trunk
from tests.support.nets.weights import block_mask
from tests.support.peers.object_api import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Block


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    """A model after a change by the object API."""
    model = load(data)
    change(model)
    return pack(model)


def good(storage: str = "sparse", zeros: float = 0.8) -> bytes:
    """A model in which all is well."""

    def net(g: GraphBuilder) -> Value:
        x = g.depthwise(entry(g), name="depthwise")
        x = g.conv2d(x, 64, zeros=zeros, storage=storage, name="pointwise")
        x = g.conv2d(x, 64, zeros=zeros, storage=storage, name="second")
        return head(g, x)

    return build(net)


def _sparse_tensor(model: Any) -> Any:
    return next(t for t in model.subgraphs[0].tensors if t.sparsity is not None)


def _csr(model: Any) -> Any:
    return _sparse_tensor(model).sparsity.dimMetadata[3]


def set_index(value: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        indices = _csr(model).arrayIndices
        indices.values = np.array(indices.values)
        indices.values[0] = value

    return change


def widen(model: Any) -> None:
    level = _csr(model)
    wide = litert_schema.Int32VectorT()
    wide.values = level.arrayIndices.values.astype(np.int32)
    level.arrayIndicesType = litert_schema.SparseIndexVector.Int32Vector
    level.arrayIndices = wide


def zero_value(model: Any) -> None:
    buffer = model.buffers[_sparse_tensor(model).buffer]
    buffer.data = np.array(buffer.data)
    buffer.data[:4] = 0


def infinite_value(model: Any) -> None:
    buffer = model.buffers[_sparse_tensor(model).buffer]
    values = np.array(buffer.data).view(np.float32)
    values[3] = np.inf
    buffer.data = values.view(np.uint8)


def shorten(model: Any) -> None:
    graph = model.subgraphs[0]
    tensor = next(t for t in graph.tensors if b"second/filter" in t.name)
    model.buffers[tensor.buffer].data = model.buffers[tensor.buffer].data[:-4]


def densify_of(storage: str) -> bytes:
    def net(g: GraphBuilder) -> Value:
        filters = np.eye(8, dtype=np.float32).reshape(8, 1, 1, 8)
        stored = g.constant(filters, "filter", storage)
        (dense,) = g.op("DENSIFY", [stored], [((8, 1, 1, 8), "FLOAT32")])
        return g.conv2d(g.input((1, 4, 4, 8)), 8, filters=dense)

    return build(net)


def forged(**slots: tuple[int, int]) -> bytes:
    forge = Forge()
    forge.model(**slots)
    return bytes(forge.out)


def direct_convolution(storage: str) -> bytes:
    return build(lambda g: g.conv2d(g.input((1, 4, 4, 64)), 64, zeros=0.8, storage=storage))


def between(block: Block) -> bytes:
    """A net in which something stands between a trunk and a head."""
    return build(through(block))


def direct_filter(version: int) -> bytes:
    return build(
        lambda g: g.fully_connected(
            g.input((1, 64)), 32, storage="sparse-direct", zeros=0.8, version=version
        )
    )


def activated(activation: str) -> bytes:
    """A convolution that XNNPACK takes or not, by its activation."""
    return build(
        lambda g: g.conv2d(
            g.input((1, 4, 4, 64)),
            64,
            zeros=0.8,
            storage="fp16-sparse",
            bias_storage="fp16",
            activation=activation,
        )
    )


def quantized_head(units: int) -> bytes:
    return build(lambda g: g.fully_connected(g.mean(trunk(g)), units, storage="int8"))


def pruned(
    stem: str = "PAD",
    middle: Callable[[GraphBuilder, Value], Value] | None = None,
    end: Callable[[GraphBuilder, Value], Value] = head,
    zeros: float = 0.8,
    channels: int = 3,
) -> bytes:
    """A pruned model that is stored dense; one thing in it keeps it from running sparse."""

    def net(g: GraphBuilder) -> Value:
        x = g.input((1, 40, 40, channels))
        if stem == "PAD":
            x = g.conv2d(g.pad_spatial(x), 16, 3, 2, "VALID", name="stem")
        elif stem == "SAME":
            x = g.conv2d(x, 16, 3, 2, "SAME", name="stem")
        x = g.conv2d(x, 32, zeros=zeros, name="first")
        x = middle(g, x) if middle else x
        x = g.conv2d(x, 32, zeros=zeros, name="second")
        return end(g, x)

    return build(net)


def in_blocks(outputs: int) -> bytes:
    """A model that runs sparse, with its zeros in blocks of some output channels."""

    def net(g: GraphBuilder) -> Value:
        x = g.depthwise(entry(g))
        mask = block_mask(g.rng, (32, 1, 1, x.shape[3]), (outputs, 1, 1, 1), 0.75)
        return head(g, g.conv2d(x, 32, mask=mask, storage="sparse", name="pointwise"))

    return build(net)


def near(values: float) -> bytes:
    filters = np.zeros((16, 1, 1, 16), np.float32)
    filters[:4] = 0.5
    filters[4:] = values
    return build(lambda g: g.conv2d(g.input((1, 4, 4, 16)), 16, filters=filters, name="layer"))


def copies(different: bool) -> bytes:
    def net(g: GraphBuilder) -> Value:
        filters = np.random.default_rng(0).standard_normal((32, 1, 1, 32)).astype(np.float32)
        x = g.conv2d(g.input((1, 4, 4, 32)), 32, filters=filters, name="one")
        other = filters + 1 if different else filters
        return g.conv2d(x, 32, filters=other, name="two")

    return build(net)


def leftovers(kind: str) -> bytes:
    builder = ModelBuilder()
    graph = builder.graph()
    x = graph.input((1, 4, 4, 8))
    y = graph.conv2d(x, 8, name="used")
    if kind == "buffer":
        builder.buffer(np.ones(100, np.float32))
    elif kind == "tensor":
        graph.constant(np.ones(100, np.float32), "unused")
    elif kind == "operator":
        graph.conv2d(y, 8, name="unread")
    graph.output(y)
    return builder.build()


def encoded(zeros: float, storage: str, channels: int = 32) -> bytes:
    return build(
        lambda g: g.conv2d(
            g.input((1, 4, 4, channels)), channels, zeros=zeros, storage=storage, name="layer"
        )
    )


def wide(rows: int, columns: int) -> bytes:
    return build(
        lambda g: g.fully_connected(
            g.input((1, columns)), rows, zeros=0.8, storage="sparse", name="layer"
        )
    )


def valued(storage: str) -> bytes:
    return build(
        lambda g: g.conv2d(g.input((1, 4, 4, 64)), 128, zeros=0.8, storage=storage, name="layer")
    )


def versioned(version: str) -> bytes:
    builder = ModelBuilder()
    graph = builder.graph()
    graph.output(graph.conv2d(graph.input((1, 4, 4, 64)), 64, zeros=0.9, storage="sparse"))
    builder.min_runtime_version(version)
    return builder.build()


def aligned(data: bytes) -> bytes:
    from tflite_sparse.model import Model

    return Model.read(data).to_bytes()


def gathered(kind: str) -> bytes:
    """A DENSIFY that TFLite runs, since GATHER of a table is outside XNNPACK."""

    def net(g: GraphBuilder) -> Value:
        table = np.where(np.arange(4096).reshape(64, 64) % 5, 0, 1).astype(np.float32)
        stored = g.constant(table, "table", "sparse" if kind == "gather" else "dense")
        options = litert_schema.GatherOptionsT()
        indices = g.input((4,), "INT32")
        return g.op("GATHER", [stored, indices], [((4, 64), "FLOAT32")], options)[0]

    return build(net)


def int8_map(storage: str) -> bytes:
    def net(g: GraphBuilder) -> Value:
        kind = "INT8" if storage == "int8" else "FLOAT32"
        scale = 0.05 if storage == "int8" else None
        x = g.input((1, 40, 40, 3), kind, scale=scale)
        x = g.conv2d(
            g.pad_spatial(x) if scale is None else x,
            16,
            3,
            2,
            "VALID" if scale is None else "SAME",
            storage=storage,
        )
        x = g.conv2d(x, 32, zeros=0.8, storage=storage, name="first")
        x = g.conv2d(x, 32, zeros=0.8, storage=storage, name="second")
        return g.mean(x)

    return build(net)


def custom(code: str) -> bytes:
    """A custom operator without options."""
    return build(lambda g: g.op(code, [g.input((1, 4))], [((1, 4), "FLOAT32")], version=1)[0])


def spectrogram() -> bytes:
    """A custom operator that LiteRT brings along, with the options that its kernel reads."""
    options = {"window_size": 8, "stride": 4, "magnitude_squared": True}

    def net(g: GraphBuilder) -> Value:
        return g.op(
            "AudioSpectrogram",
            [g.input((16, 1))],
            [((1, 3, 5), "FLOAT32")],
            version=1,
            custom_options=bytes(flexbuffers.Dumps(options)),
        )[0]

    return build(net)


def grouped(groups: int) -> bytes:
    """A TRANSPOSE_CONV of 16 channels; no kernel computes it in groups."""

    def net(g: GraphBuilder) -> Value:
        options = litert_schema.TransposeConvOptionsT()
        options.strideH = options.strideW = 2
        size = g.constant(np.array([1, 8, 8, 16], np.int32))
        filters = g.constant(np.ones((16, 2, 2, 16 // groups), np.float32))
        x = g.input((1, 4, 4, 16))
        inputs = [size, filters, x]
        return g.op("TRANSPOSE_CONV", inputs, [((1, 8, 8, 16), "FLOAT32")], options)[0]

    return build(net)
