"""Whether weights are stored sparse has one answer, whoever is asked: on nets made by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.nets.builder import ModelBuilder
from tests.support.nets.if_sparse import disagreements
from tests.support.nets.small_nets import entry
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.lint.engine import lint_subject
from tflite_sparse.lint.settings import Settings
from tflite_sparse.lint.subject import Subject
from tflite_sparse.model import Model
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.rewrite.storage.sparsify import sparsify
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

CHANNELS = 16
Pair = tuple["Value", tuple["Value", ...]]


def values(g: GraphBuilder, zeros: float = 0.9, inputs: int = CHANNELS) -> np.ndarray:
    made = g.rng.uniform(0.5, 1, (CHANNELS, 1, 1, inputs)).astype(np.float32)
    made.reshape(-1)[g.rng.permutation(made.size)[: round(made.size * zeros)]] = 0
    return made


def int8(g: GraphBuilder) -> Value:
    scales = ([0.01] * CHANNELS, [0] * CHANNELS, 0)
    return g.constant((values(g) * 100).astype(np.int8), quantized=scales)


def plain(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, filters=values(g)), ()


def few_zeros(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, filters=values(g, 0.1)), ()


def all_zeros(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, filters=values(g, 1.0)), ()


def fp16(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, zeros=0.9, storage="fp16"), ()


def dynamic_range(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, filters=int8(g)), ()


def unpacked_int8(g: GraphBuilder, x: Value) -> Pair:
    floats = g.op("DEQUANTIZE", [int8(g)], [((CHANNELS, 1, 1, CHANNELS), "FLOAT32")])[0]
    return g.conv2d(x, CHANNELS, filters=floats), ()


def output(g: GraphBuilder, x: Value) -> Pair:
    weight = g.constant(values(g))
    return g.conv2d(x, CHANNELS, filters=weight), (weight,)


def twice(g: GraphBuilder, x: Value) -> Pair:
    weight = g.constant(values(g))
    return g.conv2d(g.conv2d(x, CHANNELS, filters=weight), CHANNELS, filters=weight), ()


def shared_unlike(g: GraphBuilder, x: Value) -> Pair:
    made = values(g)
    buffer = g.model.buffer(made)
    x = g.conv2d(x, CHANNELS, filters=g.constant(made, buffer=buffer))
    table = g.constant(made.reshape(CHANNELS, CHANNELS), buffer=buffer)
    rows = g.op("GATHER", [table, g.input((3,), "INT32")], [((3, CHANNELS), "FLOAT32")])[0]
    return x, (rows,)


def grouped(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, filters=values(g, inputs=CHANNELS // 4), groups=4), ()


def read_by_another(g: GraphBuilder, x: Value) -> Pair:
    weight = g.constant(values(g))
    return g.conv2d(x, CHANNELS, filters=weight), (g.unary("ABS", weight),)


def stored_sparse(g: GraphBuilder, x: Value) -> Pair:
    return g.conv2d(x, CHANNELS, zeros=0.9, storage="sparse"), ()


LAYERS: list[Callable[[GraphBuilder, Value], Pair]] = [
    plain, few_zeros, all_zeros, fp16, dynamic_range, unpacked_int8, output, twice, shared_unlike,
    grouped, read_by_another, stored_sparse,
]  # fmt: skip


def net(layers: list[Callable[[GraphBuilder, Value], Pair]]) -> bytes:
    builder = ModelBuilder(seed=1)
    g = builder.graph()
    x, more = entry(g, (16, 16)), ()
    for layer in layers:
        x, further = layer(g, x)
        more += further
    g.output(g.mean(x), *more)
    return builder.build()


@settings(deadline=None, max_examples=12)
@given(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3))
@example([output])
@example([all_zeros])
@example([unpacked_int8])
@example([twice, output])
def test_all_who_are_asked_say_what_sparsify_does(layers) -> None:
    data = net(layers)
    assert disagreements(data) == []
    inspection = inspect(Model.read(data, "m.tflite"), gzip=False, digest=False)
    result = sparsify(Model.read(data))
    before = {group.outcome for group in inspection.runtime}
    after = {plan(result.model.main, target).outcome for target in ("arm64", "wasm")}
    step = next_step(inspection)
    if (step.command or "").startswith("tflite-sparse sparsify"):
        assert result.weights
    stores = step.title in ("Store its zeros", "Make the file smaller")
    if Outcome.SPARSE in after - before:
        assert stores, step
    elif step.title == "Store its zeros":
        raise AssertionError(f"nothing runs sparse after {step.command}")
    findings = {f.code: f for f in lint_subject(Subject("m.tflite", Settings(), data))}
    if "TFS309" in findings and findings["TFS309"].fix == "Store the weights sparse.":
        assert result.weights
    if "TFS401" in findings:
        assert findings["TFS401"].data["weights"] == len(result.weights)
    adaptation = adapt(Model.read(data)).adaptation
    if adaptation is not None and "sparsify stores its weights" in adaptation.reason:
        assert Outcome.SPARSE in after
