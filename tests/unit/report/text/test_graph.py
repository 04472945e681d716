"""The graph of a model as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.nets.builder import GraphBuilder, ModelBuilder
from tests.support.nets.small_nets import build, entry, head
from tests.support.real_models import real_model
from tflite_sparse.inspection.graph_edges import graph_edges
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.model import Model
from tflite_sparse.report.text.graph import graph_lines
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import Value


def _graph(model: Model, width: int = 80, targets: tuple[str, ...] = ("arm64",)) -> list[str]:
    found = inspect(model, digest=False, gzip=False, targets=[target(name) for name in targets])
    lines = [line.plain for line in graph_lines(found, graph_edges(model), width)]
    assert max(map(len, lines)) <= width
    return lines


def _net(middle: Callable[[GraphBuilder, Value], Value], storage: str = "sparse") -> Model:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(entry(g), 16, zeros=0.8, storage=storage, name="first")
        return head(g, g.conv2d(middle(g, x), 16, zeros=0.8, storage=storage, name="second"))

    return Model.read(build(net))


def _residual(g: GraphBuilder, x: Value) -> Value:
    return g.binary("ADD", x, g.depthwise(x, name="depthwise"))


def _pool(g: GraphBuilder, x: Value) -> Value:
    return g.max_pool(x)


def test_a_cluster_that_runs_sparse_is_one_box_with_its_residual() -> None:
    lines = _graph(_net(_residual))
    start = next(i for i, line in enumerate(lines) if line.startswith("╭─ cluster 0"))
    end = next(i for i, line in enumerate(lines) if line.startswith("╰"))
    assert "runs sparse" in lines[start]
    inside = lines[start + 1 : end]
    assert all(line.startswith("│ ") and line.endswith(" │") for line in inside)
    assert all(len(line) == 80 for line in lines[start : end + 1])
    words = [line.strip("│ ").split()[-1] for line in inside]
    assert words == ["1", "layout", "sparse", "layout", "layout", "sparse", "layout"]
    depthwise, add = (next(line for line in inside if kind in line) for kind in ("DEPTH", "ADD"))
    assert depthwise.startswith("│ ├─●")
    assert add.startswith("│ ●─╯")
    # What unpacks a weight is no line of its own.
    assert not any("DENSIFY" in line for line in lines)


def test_the_operator_that_blocks_is_marked_with_its_reason() -> None:
    model = _net(_pool)
    # The part before the pooling would hand over values in the wrong layout.
    assert plan(model.subgraphs[0], "arm64").outcome is Outcome.WRONG_NUMBERS
    lines = _graph(model)
    assert "weights are zero, fails ─" in lines[1]
    (at,) = (i for i, line in enumerate(lines) if "MAX_POOL_2D" in line and "blocks" in line)
    assert lines[at].lstrip().startswith("✗")
    assert "no form for the sparse layout" in " ".join(lines[at + 1 : at + 3])
    assert any("blocked" in line and "CONV_2D" in line for line in lines[:at])
    assert lines[-1].split()[:3] == ["1", "✗", "blocks"]


def test_where_nothing_blocks_nothing_is_marked() -> None:
    assert not any("✗" in line or "blocks" in line for line in _graph(_net(_residual)))


def test_where_the_sparse_path_is_off_there_are_no_boxes() -> None:
    lines = _graph(_net(_residual), targets=("x86-avx",))
    assert not any(line.startswith("╭") or "blocked" in line for line in lines)


def test_targets_that_differ_are_named() -> None:
    lines = _graph(_net(_residual), targets=("arm64", "x86-avx"))
    assert lines[0].startswith("on arm64 ")
    assert lines[-1].strip() == "otherwise on x86-avx: --target shows it"


def test_every_subgraph_is_drawn() -> None:
    builder = ModelBuilder()
    for _ in range(2):
        g = builder.graph()
        g.output(g.conv2d(g.input((1, 4, 4, 8)), 8))
    lines = _graph(Model.read(builder.build()))
    assert lines[0].startswith("on arm64")
    assert any(line.startswith("subgraph 1 on arm64") for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ["face_landmark_with_attention", "pose_detection"])
def test_real_models_have_a_line_for_every_operator_that_runs(name: str, width: int) -> None:
    model = Model.read(real_model(name))
    lines = _graph(model, width)
    shown = [o.index for o in graph_edges(model) if not o.unpacks]
    numbers = [
        int(word)
        for line in lines
        if any(mark in line for mark in "●○✗")
        for word in line.split()
        if word.isdigit()
    ]
    assert set(shown) <= set(numbers)
    assert not any("┴┴" in line for line in lines)
