"""The verdict of the runtime in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.small_nets import build
from tflite_sparse.inspection.inspector import inspect
from tflite_sparse.inspection.next_step import next_step
from tflite_sparse.model import Model
from tflite_sparse.report.text.runtime import cluster_lines, explain_lines, verdict_lines
from tflite_sparse.rewrite.adapt.planner import adapt
from tflite_sparse.xnnpack.releases.targets import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.report.text.headings import Lines

WIDTH = 80


def _stem(graph: GraphBuilder) -> Value:
    x = graph.pad_spatial(graph.input((1, 33, 33, 3)))
    x = graph.conv2d(x, 8, kernel=3, stride=2, padding="VALID", name="stem")
    return graph.conv2d(x, 16, zeros=0.8, storage="sparse", name="first")


def _good(graph: GraphBuilder) -> Value:
    return graph.mean(graph.conv2d(_stem(graph), 16, zeros=0.9, name="second"))


def _wrong(graph: GraphBuilder) -> Value:
    x = graph.depthwise(_stem(graph), stride=2, padding="SAME", name="between")
    return graph.mean(graph.conv2d(x, 16, zeros=0.9, name="second"))


def _dense(graph: GraphBuilder) -> Value:
    x = graph.conv2d(graph.input((1, 32, 32, 3)), 8, kernel=3, stride=2, name="stem")
    x = graph.depthwise(x, stride=2, padding="SAME", name="one")
    x = graph.depthwise(graph.conv2d(x, 64, zeros=0.8), stride=2, padding="SAME", name="two")
    return graph.mean(graph.conv2d(x, 64, zeros=0.8))


def _few_zeros(graph: GraphBuilder) -> Value:
    x = graph.conv2d(graph.input((1, 32, 32, 3)), 8, kernel=3, stride=2, name="stem")
    return graph.mean(graph.conv2d(x, 8, zeros=0.5))


def _plain(graph: GraphBuilder) -> Value:
    return graph.fully_connected(graph.input((1, 8)), 4)


def _inspected(*makes: Callable[[GraphBuilder], Value], targets: str = "arm64") -> Inspection:
    model = Model.read(build(*makes))
    return inspect(model, targets=[target(name) for name in targets.split(",")])


def _text(lines: Lines) -> str:
    assert all(len(line.plain) <= WIDTH for line in lines)
    return "\n".join(line.plain for line in lines)


def _verdict(*makes: Callable[[GraphBuilder], Value], targets: str = "arm64") -> str:
    return _text(verdict_lines(_inspected(*makes, targets=targets).runtime, WIDTH))


def test_a_sparse_model_tells_its_share() -> None:
    assert _verdict(_good, targets="armv7") == (
        "  Runs sparse on armv7: 2 of 2 1x1 convolutions, 64.0 % of the multiply-adds."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wasm", "times as fast as the same graph run dense on wasm."),
        ("arm64", "times fewer instructions on arm64, by emulation."),
    ],
)
def test_an_estimate_is_called_one(name: str, words: str) -> None:
    text = " ".join(_verdict(_good, targets=name).split())
    assert "multiply-adds; an estimated" in text
    assert text.endswith(words)


def test_wrong_numbers_come_with_the_reason_and_a_way_out() -> None:
    text = _verdict(_wrong)
    assert text.startswith("  Computes wrong numbers on arm64.\n    - ")
    assert "first (CONV_2D)" in text
    assert "'tflite-sparse densify'" in text


def test_a_dense_model_tells_what_is_in_the_way_the_root_cause_first() -> None:
    text = _verdict(_dense)
    lead = "  Runs dense on arm64.\n    What prevents it, the main cause first:\n    - "
    assert text.startswith(f"{lead}stem")
    assert text.index("stem") < text.index("one (DEPTHWISE_CONV_2D)")
    assert "1 other operator has the same" in text
    assert "two (" not in text


def test_too_few_zeros_come_before_all_else_and_the_storage_is_not_spoken_of() -> None:
    text = _verdict(_few_zeros)
    assert text.index("more of the cluster's 64 1x1 weights to zero") < text.index("stem (CONV_2D)")
    assert "sparsify" not in text


def test_a_missing_hint_names_the_command_that_sets_it() -> None:
    assert "'tflite-sparse sparsify' does this" in " ".join(_verdict(_dense).split())


def test_targets_that_say_the_same_are_told_together() -> None:
    text = _verdict(_dense, targets="arm64,wasm,arm64-fp16,x86-avx")
    assert "Runs dense on arm64, wasm and arm64-fp16." in text
    assert "Runs dense on x86-avx; the sparse path is off by design" in " ".join(text.split())


def test_a_model_without_1x1_convolutions_has_nothing_in_the_way() -> None:
    text = _verdict(_plain, targets="arm64,x86-avx")
    assert " ".join(text.split()) == (
        "Runs dense on arm64 and x86-avx: it has no 1x1 convolution that could run sparse."
    )


def test_further_subgraphs_are_told_where_they_have_something_to_tell() -> None:
    assert "subgraph" not in _verdict(_good, _plain)
    assert "Runs sparse in subgraph 1 on arm64" in _verdict(_plain, _good)


@pytest.mark.parametrize(
    ("make", "state"), [(_good, "to spare  sparse"), (_few_zeros, "short  dense, blocked")]
)
def test_clusters_tell_their_zeros_and_margin(
    make: Callable[[GraphBuilder], Value], state: str
) -> None:
    (group,) = _inspected(make).runtime
    lines = cluster_lines(group.clusters, WIDTH)
    assert lines[0].plain.split()[:5] == ["cluster", "operators", "filters", "weights", "zeros"]
    assert lines[1].plain.endswith(state)


def test_the_margin_is_exact() -> None:
    (group,) = _inspected(_good).runtime
    (cluster,) = group.clusters
    assert cluster.parameters == 8 * 16 + 16 * 16
    assert 3 * (cluster.zeros + cluster.margin) > 2 * cluster.parameters
    assert 3 * (cluster.zeros + cluster.margin - 1) <= 2 * cluster.parameters
    shown = cluster_lines(group.clusters, WIDTH)[1].plain
    assert f"{-cluster.margin} to spare" in shown


def test_no_clusters_make_no_table() -> None:
    assert cluster_lines((), WIDTH) == []


def test_every_operator_is_explained_once() -> None:
    found = _inspected(_good, targets="arm64,x86-avx")
    text = _text(explain_lines(found.runtime, WIDTH))
    assert text.count("second (CONV_2D)") == 1
    assert text.startswith("LiteRT 2.3 on arm64\n")
    assert "kernel    sparse, " in text


def test_further_targets_are_explained_only_where_they_differ() -> None:
    found = _inspected(_good, targets="arm64,arm64-fp16")
    text = _text(explain_lines(found.runtime, WIDTH))
    first, second = text.split("\n\n")
    assert second.startswith("LiteRT 2.3 on arm64-fp16, where it differs\n")
    assert first.count(" (CONV_2D)") > second.count(" (DENSIFY)") == 0


@pytest.mark.parametrize("kind", ["stride", "computed"])
def test_convolutions_that_could_not_run_sparse_are_not_denied(kind: str) -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.pad_spatial(g.input((1, 33, 33, 3))), 8, kernel=3, stride=2, padding="VALID")
        if kind == "stride":
            return g.mean(g.conv2d(x, 16, stride=2, zeros=0.9, name="second"))
        filters = g.constant(np.ones((16, 8, 1, 1), np.float32))
        order = g.constant(np.array([0, 2, 3, 1], np.int32))
        options = litert_schema.TransposeOptionsT()
        (filters,) = g.op("TRANSPOSE", [filters, order], [((16, 1, 1, 8), "FLOAT32")], options)
        return g.mean(g.conv2d(x, 16, filters=filters, name="second"))

    inspection = inspect(Model.read(build(net)), targets=[target("arm64")])
    text = " ".join("\n".join(map(str, verdict_lines(inspection.runtime, WIDTH))).split())
    assert "its 1x1 convolution could not run sparse as it is" in text
    why = {"stride": "has stride 2x2", "computed": "has a filter that is computed"}[kind]
    assert why in text
    assert "1x1 convolution" in next_step(inspection).why
    reason = adapt(Model.read(build(net))).adaptation
    assert reason is not None
    assert "has no 1x1" not in reason.reason
