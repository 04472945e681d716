"""Models on which the runtime fails: it aborts, does not end, or refuses them."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.small_nets import trunk

__all__ = ["aborting", "endless", "refused", "unknown"]


# What is written past the end is this, squared, in floats: 256 MB, where memory surely ends.
_BEYOND = 8192


def aborting() -> bytes:
    """Ends the process where XNNPACK takes the sparse path: MEAN, then SUB of a constant.

    MEAN leaves (1, channels, 1, 1), which with the constant's (1, 1, 1, channels) broadcasts to
    channels x channels, written where there is room for one row.
    """
    model = ModelBuilder()
    g = model.graph()
    x = g.conv2d(trunk(g, (8, 8)), _BEYOND, zeros=0.9, storage="sparse")
    g.output(g.sub(g.mean(x, keep_dims=True), np.ones((1, 1, 1, _BEYOND), np.float32)))
    return model.build()


def endless() -> bytes:
    """A WHILE that counts from its input to 2^31 - 1."""
    model = ModelBuilder()
    main, condition, body = (model.graph(name) for name in ("main", "condition", "body"))
    start = main.input((1,), "INT32", "start")
    loop = litert_schema.WhileOptionsT()
    loop.condSubgraphIndex, loop.bodySubgraphIndex = 1, 2
    main.output(*main.op("WHILE", [start], [((1,), "INT32")], loop))
    i = condition.input((1,), "INT32", "i")
    limit = condition.constant(np.array([2**31 - 1], np.int32))
    condition.output(*condition.op("LESS", [i, limit], [((1,), "BOOL")], None))
    i = body.input((1,), "INT32", "i")
    one = body.constant(np.array([1], np.int32))
    body.output(*body.op("ADD", [i, one], [((1,), "INT32")], litert_schema.AddOptionsT()))
    return model.build()


def refused() -> bytes:
    """A float CONV_2D with sparse int8 weights behind a DENSIFY, which XNNPACK fails to take."""
    model = ModelBuilder()
    g = model.graph()
    x = g.input((1, 8, 8, 16))
    filters = np.zeros((16, 1, 1, 16), np.int8)
    filters[:, 0, 0, :4] = 5
    kernel = g.constant(filters, storage="sparse", quantized=([0.01] * 16, [0] * 16, 0))
    g.output(g.conv2d(x, 16, filters=kernel))
    return model.build()


def unknown() -> bytes:
    """A custom operator that no runtime comes with."""
    model = ModelBuilder()
    g = model.graph()
    x = g.input((1, 4))
    g.output(*g.op("NobodyHasThisOperator", [x], [((1, 4), "FLOAT32")], version=1))
    return model.build()
