"""The plan as a whole: targets, what-if, advice, speed, rules and their documentation."""

from __future__ import annotations

import inspect
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path
from statistics import geometric_mean
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tflite_sparse.xnnpack as package
from tests.support.nets.small_nets import build_subgraph, entry, head, trunk
from tests.support.nets.weights import block_mask
from tflite_sparse.errors import UsageError
from tflite_sparse.model.zero_counts import ZeroCounts
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.cost.estimate import estimate
from tflite_sparse.xnnpack.cost.prices import COSTS, costs_of, slow_kernels
from tflite_sparse.xnnpack.explain.rules import RULES, rule, rules_table
from tflite_sparse.xnnpack.explain.runtime_rule import Stage
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import runtime
from tflite_sparse.xnnpack.releases.targets import target, targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.model import Subgraph

ROOT = Path(__file__).parents[3]


# Targets


def test_every_target_of_the_documentation_is_known() -> None:
    assert [t.name for t in targets()] == [
        "arm64",
        "armv7",
        "arm64-fp16",
        "wasm",
        "riscv",
        "hexagon",
        "x86-noavx",
        "x86-avx",
    ]


def test_unknown_target_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no target 'gpu'") as caught:
        target("gpu")
    assert "arm64" in str(caught.value.hint)


def test_unknown_runtime_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not modelled"):
        runtime("LiteRT 0.1")
    assert runtime("LiteRT 2.3").max_concatenation == 5


@pytest.mark.parametrize("name", ["arm64", "armv7", "wasm", "riscv", "hexagon", "x86-noavx"])
def test_sparse_model_is_sparse_where_the_sparse_path_is_on(name: str) -> None:
    assert plan(build_subgraph(lambda g: head(g, trunk(g))), name).outcome is Outcome.SPARSE


def test_nothing_is_sparse_on_x86_with_avx() -> None:
    made = plan(build_subgraph(lambda g: head(g, trunk(g))), "x86-avx")
    assert made.outcome is Outcome.DENSE
    assert [change.rule for change in made.verdict.changes] == ["target-dense"]


def test_failures_do_not_show_on_x86_with_avx() -> None:
    net = build_subgraph(lambda g: g.softmax(g.mean(trunk(g), keep_dims=True)))
    assert plan(net, "x86-noavx").outcome is Outcome.WRONG_NUMBERS
    assert plan(net, "x86-avx").outcome is Outcome.DENSE


def test_padding_does_not_fuse_in_half_precision() -> None:
    made = plan(build_subgraph(lambda g: head(g, trunk(g))), "arm64-fp16")
    stem = next(op for op in made.operators if op.label.startswith("stem"))
    assert stem.role_refusal is not None
    assert stem.role_refusal.rule == "conv-entry-padding"
    assert made.outcome is Outcome.DENSE


# What-if


def filters(subgraph: Subgraph) -> list[int]:
    found = []
    for op in subgraph.operators:
        tensor = op.inputs[1] if op.name == "CONV_2D" else None
        if tensor is not None and tensor.is_constant and tensor.shape[1:3] == (1, 1):
            found.append(tensor.index)
    return found


def test_assumed_encoding_gives_the_plan_of_the_encoded_model() -> None:
    dense = build_subgraph(lambda g: head(g, trunk(g, storage="dense")))
    encoded = build_subgraph(lambda g: head(g, trunk(g, storage="sparse")))
    assumed = plan(dense, "arm64", assume=WhatIf(encoded=frozenset(filters(dense))))
    real = plan(encoded, "arm64")
    assert plan(dense, "arm64").outcome is Outcome.DENSE
    assert assumed.outcome is real.outcome is Outcome.SPARSE
    assert assumed.executed == real.executed


def test_assumed_encoding_of_half_precision_gives_the_plan_of_the_encoded_model() -> None:
    dense = build_subgraph(lambda g: head(g, trunk(g, storage="fp16")))
    encoded = build_subgraph(lambda g: head(g, trunk(g, storage="fp16-sparse")))
    halves = frozenset(t.index for t in dense.tensors if t.type == "FLOAT16")
    assumed = plan(dense, "arm64", assume=WhatIf(encoded=halves))
    assert assumed.executed == plan(encoded, "arm64").executed
    assert assumed.outcome is Outcome.SPARSE


def test_assumed_dense_storage_takes_the_hint_away() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    stored = frozenset(t.index for t in subgraph.tensors if t.sparsity is not None)
    made = plan(subgraph, "arm64", assume=WhatIf(dense=stored))
    assert not made.hinted
    assert made.outcome is Outcome.DENSE


def test_assumed_zeros_are_counted() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    (stored,) = (t.index for t in subgraph.tensors if t.sparsity is not None)
    few = plan(subgraph, "arm64", assume=WhatIf(zeros={stored: 10}))
    assert few.clusters[0].zeros == 10
    assert few.outcome is Outcome.DENSE
    mask = np.ones((16, 1, 1, 16), np.bool_)
    mask[:4, 0, 0, :2] = False
    masked = plan(subgraph, "arm64", assume=WhatIf(zeros={stored: mask}))
    assert masked.clusters[0].zeros == 256 - 8
    assert [op.kernel for op in masked.operators if op.kernel] == [4]


def test_assumptions_leave_the_model_alone() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g, storage="dense")))
    before = plan(subgraph, "arm64")
    plan(subgraph, "arm64", assume=WhatIf(encoded=frozenset(filters(subgraph))))
    assert plan(subgraph, "arm64") == before
    assert not subgraph.edited


# Advice


def advice(net: Callable[[GraphBuilder], Value]) -> list[str]:
    made = plan(build_subgraph(net), "arm64")
    assert made.outcome is Outcome.DENSE
    return [change.rule for change in made.verdict.changes]


def test_advice_for_zeros_stored_dense_is_to_store_them_sparse() -> None:
    assert advice(lambda g: head(g, trunk(g, storage="dense"))) == ["hint-none"]


def test_advice_for_too_few_zeros_is_exact() -> None:
    made = plan(build_subgraph(lambda g: head(g, g.conv2d(entry(g), 16, zeros=0.5))), "arm64")
    zeros, hint = made.verdict.changes
    assert zeros.rule == "profit-zeros"
    assert "set 43 more of the cluster's 256 1x1 weights to zero: only 50.0 % are" in zeros.message
    assert hint.rule == "hint-none"


def test_advice_names_every_operator_on_the_way_from_the_entry() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.input((1, 64, 64, 3)), 16, 3, 2, name="stem")
        for number in range(2):
            x = g.depthwise(x, stride=2, name=f"down{number}")
            x = g.conv2d(x, 16, zeros=0.9, storage="sparse")
        return head(g, x)

    made = plan(build_subgraph(net), "arm64")
    assert [change.rule for change in made.verdict.changes] == ["cluster-producer"] * 2
    texts = " ".join(change.message for change in made.verdict.changes)
    assert "down0" in texts
    assert "down1" in texts


def test_advice_for_a_missing_exit() -> None:
    assert advice(trunk) == ["cluster-no-exit"]


def test_advice_for_a_model_without_convolutions_is_none() -> None:
    assert advice(lambda g: g.softmax(g.input((1, 8)))) == []


# Speed


def mobilenet(g: GraphBuilder) -> Value:
    x = g.pad_spatial(g.input((1, 224, 224, 3)))
    x = g.conv2d(x, 32, 3, 2, "VALID")
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5]
    for channels, stride in [*blocks, (1024, 2), (1024, 1)]:
        x = g.depthwise(g.pad_spatial(x), 3, stride, "VALID")
        x = g.conv2d(x, channels)
    return g.fully_connected(g.mean(x), 1000)


@pytest.fixture(scope="module")
def mobilenet_graph() -> Subgraph:
    return build_subgraph(mobilenet)


@pytest.mark.parametrize(
    ("zeros", "measured_ms"),
    [(0.0, (42.9, 26.9)), (0.7, (22.4, 11.1)), (0.8, (17.4, 8.3)), (0.9, (13.2, 5.6))],
)
def test_estimate_lies_in_the_middle_of_two_machines(
    mobilenet_graph: Subgraph, zeros: float, measured_ms: tuple[float, float]
) -> None:
    weights = filters(mobilenet_graph)
    sizes = {index: mobilenet_graph.tensors[index].size for index in weights}
    assumed = WhatIf(
        encoded=frozenset(weights[:1] if zeros else ()),
        zeros={index: round(size * zeros) for index, size in sizes.items()},
    )
    made = estimate(plan(mobilenet_graph, "wasm", assume=assumed), mobilenet_graph)
    assert made is not None
    assert made.planned_ms == pytest.approx(geometric_mean(measured_ms), rel=0.07)


@pytest.mark.parametrize(("block", "times_as_long"), [(1, 0.35), (2, 1.17), (4, 1.11)])
def test_estimate_knows_what_block_kernels_cost_in_a_browser(
    mobilenet_graph: Subgraph, block: int, times_as_long: float
) -> None:
    rng = np.random.default_rng(0)
    weights = filters(mobilenet_graph)
    zeros = {
        index: ~block_mask(rng, mobilenet_graph.tensors[index].shape, (block, 1, 1, 1), 0.8)
        for index in weights
    }
    assumed = WhatIf(encoded=frozenset(weights[:1]), zeros=zeros)
    planned = plan(mobilenet_graph, "wasm", assume=assumed)
    assert {op.kernel for op in planned.operators if op.kernel} == {block}
    made = estimate(planned, mobilenet_graph)
    assert made is not None
    assert made.planned_ms / made.dense_ms == pytest.approx(times_as_long, rel=0.06)


def test_prices_that_nobody_has_measured_are_stood_in_for() -> None:
    assert costs_of("wasm") is COSTS["wasm"]
    assert slow_kernels("wasm") == slow_kernels("armv7") == slow_kernels("x86-noavx") == {2, 4}
    assert not slow_kernels("arm64")
    assert not slow_kernels("riscv")
    arm64 = costs_of("arm64")
    # What XNNPACK's kernels on arm64 gain and lose by blocks.
    assert arm64.sparse_2 < arm64.sparse_4 < arm64.sparse


def test_no_estimate_where_nobody_has_measured() -> None:
    subgraph = build_subgraph(lambda g: head(g, trunk(g)))
    assert estimate(plan(subgraph, "arm64"), subgraph) is None


def test_no_estimate_for_a_model_that_does_not_run_right() -> None:
    subgraph = build_subgraph(lambda g: g.mean(trunk(g), keep_dims=True))
    assert estimate(plan(subgraph, "wasm"), subgraph) is None


def chain(blocks: int) -> Subgraph:
    """Blocks one after another, some beside nothing."""

    def net(g: GraphBuilder) -> Value:
        x = entry(g)
        for number in range(blocks):
            y = g.conv2d(g.depthwise(x), 16, zeros=0.9, storage="sparse")
            x = g.add(x, y) if number % 3 == 0 else y
        return head(g, x)

    return build_subgraph(net)


def calls_to_plan(subgraph: Subgraph) -> int:
    """How many functions planning calls, when zeros are counted already."""
    zeros, calls = ZeroCounts(), 0
    plan(subgraph, "arm64", zeros=zeros)

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        plan(subgraph, "arm64", zeros=zeros)
    finally:
        sys.setprofile(before)
    return calls


def test_planning_takes_work_in_proportion_to_the_model() -> None:
    small, large = chain(60), chain(240)
    assert plan(large, "arm64").verdict.sparse_pointwise == 240
    assert 0 < calls_to_plan(large) < 4.4 * calls_to_plan(small)


# Rules


def test_every_rule_is_applied_somewhere_and_every_code_is_registered() -> None:
    sources = "\n".join(
        inspect.getsource(import_module(module.name))
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith(("_rules", ".explain.rules"))
    )
    quoted = set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', sources))
    assert {code for code in RULES if code not in quoted} == set()
    prefixes = {code.split("-")[0] for code in RULES}
    codes = {code for code in quoted if code.split("-")[0] in prefixes}
    assert codes <= set(RULES)


def test_documentation_lists_the_rules_as_they_are() -> None:
    text = (ROOT / "docs" / "runtime-model.md").read_text()
    assert rules_table().strip() in text


def test_rule_is_found_by_its_code() -> None:
    assert rule("conv-entry-padding").stage is Stage.ROLE
