"""Operators outside XNNPACK that read a sparse constant without a DENSIFY, beside dense twins.

LiteRT without XNNPACK is no reference here: it misreads the constant just as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.runtime_model.cases.parts import trunk
from tests.support.nets.small_nets import build
from tflite_sparse.model import Model
from tflite_sparse.runtime.litert.driver import run
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value

ROWS, COLUMNS = 8, 16


def gather(g: GraphBuilder, table: Value) -> Value:
    row = g.constant(np.array([1], np.int32))
    options = litert_schema.GatherOptionsT()
    return g.op("GATHER", [table, row], [((1, COLUMNS), "FLOAT32")], options)[0]


def embedding_lookup(g: GraphBuilder, table: Value) -> Value:
    row = g.constant(np.array([1], np.int32))
    return g.op("EMBEDDING_LOOKUP", [row, table], [((1, COLUMNS), "FLOAT32")])[0]


def floor_mod(g: GraphBuilder, table: Value) -> Value:
    whole = g.constant(np.full((ROWS, COLUMNS), 0.75, np.float32))
    (rest,) = g.op("FLOOR_MOD", [table, whole], [((ROWS, COLUMNS), "FLOAT32")])
    return g.slice(rest, (0, 0), (1, COLUMNS))


def zeros_like(g: GraphBuilder, table: Value) -> Value:
    (nothing,) = g.op("ZEROS_LIKE", [table], [((ROWS, COLUMNS), "FLOAT32")])
    return g.slice(nothing, (0, 0), (1, COLUMNS))


READERS = (gather, embedding_lookup, floor_mod)


def packed_model(read: Callable[[GraphBuilder, Value], Value], storage: str) -> bytes:
    """A row of a table that is half zero, added to what a trunk gives."""
    numbers = np.linspace(0.5, 1.5, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)
    numbers[:, ::2] = 0

    def net(g: GraphBuilder) -> Value:
        x = g.mean(trunk(g, storage="dense"))
        return g.add(x, read(g, g.constant(numbers, storage=storage)))

    return build(net)


def computed(model: bytes) -> np.ndarray:
    (tensor,) = Model.read(model).main.inputs
    feed = {tensor.name: np.random.default_rng(1).standard_normal(tensor.shape).astype(np.float32)}
    (values,) = run(model, [feed]).trials[0].values()
    return values


@pytest.mark.parametrize("read", READERS)
def test_packed_values_are_taken_for_dense_ones_and_the_plan_says_so(
    read: Callable[[GraphBuilder, Value], Value],
) -> None:
    model = packed_model(read, "sparse-direct")
    assert not np.allclose(computed(model), computed(packed_model(read, "dense")))
    verdict = plan(Model.read(model).main, "x86-avx").verdict
    assert verdict.outcome is Outcome.WRONG_NUMBERS
    assert [reason.rule for reason in verdict.reasons] == ["filter-packed"]


@pytest.mark.parametrize(
    ("read", "storage"), [*((read, "sparse") for read in READERS), (zeros_like, "sparse-direct")]
)
def test_behind_a_densify_or_for_the_shape_alone_nothing_is_misread(
    read: Callable[[GraphBuilder, Value], Value], storage: str
) -> None:
    model = packed_model(read, storage)
    assert np.array_equal(computed(model), computed(packed_model(read, "dense")))
    assert plan(Model.read(model).main, "x86-avx").outcome is Outcome.DENSE
