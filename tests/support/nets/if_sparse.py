"""Small nets with weights that are stored sparse, or are not, each for its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.nets.builder import ModelBuilder
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.storage.options import SparsifyOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["NETS", "disagreements"]

SHAPE = (32, 1, 1, 32)
# Alignment, and tables whose exact size shows only when they are written.
_SLACK = 0.01
_SLACK_BYTES = 400


def disagreements(data: bytes) -> list[str]:
    """What `inspect` promises of a model's weights and `sparsify` does not do, or the reverse.

    Args:
        data: the model.
    """
    facts = inspect(Model.read(data), gzip=False, digest=False)
    result = sparsify(Model.read(data), SparsifyOptions(reencode=True))
    promised = {
        (weight.subgraph, weight.tensor): weight.bytes_sparse
        for weight in facts.weights
        if weight.smaller and weight.storage == "dense"
    }
    made = {
        (change.weight.subgraph, change.weight.tensor): change.bytes_after
        for change in result.weights
        if change.before == "dense"
    }
    left = {(entry.weight.subgraph, entry.weight.tensor): entry for entry in result.left}
    wrong = [
        f"{at}: promised {promised.get(at)} bytes, made {made.get(at)}"
        for at in sorted({*promised, *made})
        if promised.get(at) != made.get(at)
    ]
    for weight in facts.weights:
        entry = left.get((weight.subgraph, weight.tensor))
        reason = None if entry is None else entry.reason
        if entry is not None and weight.cannot != reason:
            wrong.append(f"{weight.name}: {weight.cannot!r} for {reason!r}")
        if weight.smaller == (weight.cannot is not None):
            wrong.append(f"{weight.name}: smaller is {weight.smaller}, and {weight.cannot!r}")
    saved = facts.totals.bytes_now - facts.totals.bytes_sparse
    wanted = sum(c.bytes_before - c.bytes_after for c in result.weights if c.before == "dense")
    if saved != wanted:
        wrong.append(f"{saved:,} bytes are promised, {wanted:,} saved")
    return wrong


def _x(g: GraphBuilder, kind: str = "FLOAT32") -> Value:
    return g.input((1, 8, 8, 32), kind, scale=0.05 if kind == "INT8" else None)


def _pruned(g: GraphBuilder, zeros: float, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    values = g.rng.uniform(0.5, 1, shape).astype(np.float32)
    values.reshape(-1)[g.rng.permutation(values.size)[: round(values.size * zeros)]] = 0
    return values


def _int8(g: GraphBuilder, zeros: float, point: int = 0) -> Value:
    values = (_pruned(g, zeros) * 100).astype(np.int8)
    return g.constant(values + np.int8(point), quantized=([0.02] * 32, [point] * 32, 0))


def _plain(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, filters=_pruned(g, 0.9))


def _few_zeros(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, filters=_pruned(g, 0.0))


def _some_zeros(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, filters=_pruned(g, 0.2))


def _nothing_but_zeros(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, filters=_pruned(g, 1.0))


def _dynamic_range(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, filters=_int8(g, 0.9))


def _quantized(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g, "INT8"), 32, filters=_int8(g, 0.9), bias=False)


def _zero_point(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g, "INT8"), 32, filters=_int8(g, 0.9, 3), bias=False)


def _grouped(g: GraphBuilder) -> Value:
    return g.conv2d(_x(g), 32, 3, filters=_pruned(g, 0.9, (32, 3, 3, 8)))


def _output(g: GraphBuilder) -> tuple[Value, Value]:
    weight = g.constant(_pruned(g, 0.9))
    return g.conv2d(_x(g), 32, filters=weight), weight


def _shared(g: GraphBuilder) -> tuple[Value, ...]:
    buffer = g.model.buffer(_pruned(g, 0.9))
    values = _pruned(g, 0.9)
    weights = [g.constant(values, buffer=buffer) for _ in range(2)]
    return tuple(g.conv2d(_x(g), 32, filters=weight) for weight in weights)


def _dangerous(g: GraphBuilder) -> Value:
    x = g.conv2d(g.pad_spatial(g.input((1, 32, 32, 3))), 32, 3, 2, "VALID")
    x = g.conv2d(x, 32, filters=_pruned(g, 0.9))
    gate = g.conv2d(g.mean(x, keep_dims=True), 32, filters=_pruned(g, 0.9))
    return g.softmax(g.mul(x, g.logistic(gate)))


def _stored_sparse(g: GraphBuilder) -> Value:
    x = g.conv2d(_x(g), 32, zeros=0.9, storage="sparse")
    return g.conv2d(g.conv2d(x, 32, zeros=0.9), 32, zeros=0.9, storage="fp16")


def _vector(g: GraphBuilder) -> Value:
    table = g.constant(np.zeros(2048, np.float32))
    return g.op("GATHER", [table, g.input((3,), "INT32")], [((3,), "FLOAT32")])[0]


def _type(g: GraphBuilder) -> Value:
    table = g.constant(np.zeros((64, 64), np.int32))
    return g.op("GATHER", [table, g.input((3,), "INT32")], [((3, 64), "INT32")])[0]


def _net(make: Callable[[GraphBuilder], Value | tuple[Value, ...]]) -> Callable[[], bytes]:
    def build() -> bytes:
        builder = ModelBuilder(seed=1)
        graph = builder.graph()
        made = make(graph)
        graph.output(*(made if isinstance(made, tuple) else (made,)))
        return builder.build()

    return build


NETS = {
    name: _net(make)
    for name, make in {
        "plain": _plain,
        "few zeros": _few_zeros,
        "some zeros": _some_zeros,
        "nothing but zeros": _nothing_but_zeros,
        "dynamic range": _dynamic_range,
        "quantized": _quantized,
        "zero point": _zero_point,
        "grouped": _grouped,
        "output": _output,
        "shared": _shared,
        "dangerous": _dangerous,
        "stored sparse": _stored_sparse,
        "vector": _vector,
        "type": _type,
    }.items()
}
"""Builders of the nets by name; the weight that a name is about comes last."""
