"""The plan of subgraphs that WHILE and IF run is what LiteRT does there: XNNPACK takes them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.command import call
from tests.support.nets.builder import ModelBuilder
from tflite_sparse.model import Model
from tflite_sparse.runtime.litert.driver import profile_many
from tflite_sparse.runtime.plan_match import against_plan
from tflite_sparse.xnnpack.plan import plan

if TYPE_CHECKING:
    from tflite_sparse.model import Subgraph

SHAPE = (1, 8, 8, 8)


def loop() -> bytes:
    """A convolution, a WHILE that runs its body once, and a convolution."""
    model = ModelBuilder()
    main, condition, body = (model.graph(name) for name in ("main", "condition", "body"))
    options = litert_schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 2
    start = main.constant(np.array([0], np.int32))
    before = main.conv2d(main.input(SHAPE), 8)
    _, after = main.op("WHILE", [start, before], [((1,), "INT32"), (SHAPE, "FLOAT32")], options)
    main.output(main.conv2d(after, 8))
    i, _ = condition.input((1,), "INT32", "i"), condition.input(SHAPE, name="x")
    limit = condition.constant(np.array([1], np.int32))
    condition.output(*condition.op("LESS", [i, limit], [((1,), "BOOL")]))
    i, x = body.input((1,), "INT32", "i"), body.input(SHAPE, name="x")
    one = body.constant(np.array([1], np.int32))
    following = body.op("ADD", [i, one], [((1,), "INT32")], litert_schema.AddOptionsT())
    body.output(*following, body.add(body.conv2d(body.depthwise(x), 8), x))
    return model.build()


def branch() -> bytes:
    """A convolution, an IF whose condition is false in every run, and a convolution."""
    model = ModelBuilder()
    main, yes, no = (model.graph(name) for name in ("main", "yes", "no"))
    options = litert_schema.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = 1, 2
    chosen = main.constant(np.array([False]))
    x = main.conv2d(main.input(SHAPE), 8)
    main.output(main.conv2d(*main.op("IF", [chosen, x], [(SHAPE, "FLOAT32")], options), 8))
    yes.output(yes.conv2d(yes.input(SHAPE), 8))
    no.output(no.unary("TANH", no.depthwise(no.input(SHAPE))))
    return model.build()


def executed(subgraph: Subgraph, *operators: int) -> list[str]:
    """What the plan says that is executed of some operators; of all where none is named."""
    planned = plan(subgraph, "x86-avx").operators
    return [
        name for op in planned if not operators or op.index in operators for name in op.executed
    ]


def turns(count: int) -> bytes:
    """A model whose loop goes round so often."""
    model = Model.read(loop())
    (limit,) = (t for t in model.subgraphs[1].tensors if t.is_constant)
    limit.buffer.data = np.array([count], np.int32)
    return model.to_bytes()


@pytest.mark.parametrize(("make", "body"), [(lambda: turns(3), 2), (branch, 2)])
def test_a_profile_knows_the_operators_of_bodies(make, body, tmp_path):
    data = make()
    (profile,) = profile_many([data], emulate=False)
    compared = against_plan(Model.read(data).main, profile, "x86-avx")
    assert compared.agree
    inside = [row for row in compared.rows if row.subgraph == body and row.delegated]
    assert inside
    assert all(f"in subgraph {body}" in (row.operator or "") for row in inside)
    (tmp_path / "model.tflite").write_bytes(data)
    told = call("profile", tmp_path / "model.tflite", "--runs", 1)
    assert told.out.count(f"in subgraph {body}") >= len(inside)
    assert call("profile", tmp_path / "model.tflite", "--against-plan", "--json").code == 0


@pytest.mark.parametrize("make", [loop, branch])
def test_operators_of_bodies_are_planned_as_the_runtime_executes_them(make):
    data = make()
    main, _, last = Model.read(data).subgraphs
    (profile,) = profile_many([data], emulate=False)
    assert profile.status == "ok", profile.detail
    found = [op.name for op in profile.operators if op.delegated]
    inside = executed(last)
    assert len(inside) > 1
    assert found == [*executed(main, 0), *inside, *executed(main, 2)]
