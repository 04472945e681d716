"""Clusters: what goes sparse together, what stands in the way, and the exact margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build_subgraph, entry, head, trunk
from tflite_sparse.model.zero_counts import Counts, ZeroCounts, count
from tflite_sparse.xnnpack.assumptions import WhatIf
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.stages.filter_zeros import block_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.xnnpack.plan import Plan


def planned(net: Net) -> Plan:
    return plan(build_subgraph(net), "x86-noavx")


def test_cluster_reaches_from_entry_to_exit() -> None:
    made = planned(lambda g: head(g, trunk(g)))
    (cluster,) = made.clusters
    names = [made.operators[index].name for index in cluster.members]
    assert names == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MEAN"]
    assert [made.operators[i].name for i in cluster.entries] == ["CONV_2D"]
    assert [made.operators[i].name for i in cluster.exits] == ["MEAN"]
    assert cluster.complete
    assert cluster.sparse
    assert cluster.obstacles == ()


def by_zeros(zeros: int, *, storage: str = "sparse") -> Callable[[GraphBuilder], Value]:
    """A net whose only 1x1 filter has 240 weights and so many zeros."""

    def net(g: GraphBuilder) -> Value:
        flat = np.ones(240, np.float32)
        flat[:zeros] = 0
        x = g.depthwise(entry(g))
        return head(g, g.conv2d(x, 15, filters=flat.reshape(15, 1, 1, 16), storage=storage))

    return net


@pytest.mark.parametrize(
    ("zeros", "margin", "outcome"),
    [
        (159, 2, Outcome.DENSE),
        (160, 1, Outcome.DENSE),
        (161, 0, Outcome.SPARSE),
        (240, -79, Outcome.SPARSE),
    ],
)
def test_margin_is_exact_to_the_weight(zeros: int, margin: int, outcome: Outcome) -> None:
    made = planned(by_zeros(zeros))
    (cluster,) = made.clusters
    assert (cluster.zeros, cluster.parameters, cluster.margin) == (zeros, 240, margin)
    assert cluster.profitable is (margin <= 0)
    assert made.outcome is outcome


def test_margin_says_how_many_zeros_to_add() -> None:
    subgraph = build_subgraph(by_zeros(150))
    (cluster,) = plan(subgraph, "arm64").clusters
    filt = next(t.index for t in subgraph.tensors if t.sparsity is not None)
    enough = WhatIf(zeros={filt: cluster.zeros + cluster.margin})
    short = WhatIf(zeros={filt: cluster.zeros + cluster.margin - 1})
    assert plan(subgraph, "arm64", assume=enough).outcome is Outcome.SPARSE
    assert plan(subgraph, "arm64", assume=short).outcome is Outcome.DENSE


def test_negative_zero_is_a_zero() -> None:
    def net(g: GraphBuilder) -> Value:
        filters = np.where(np.arange(256) < 200, np.float32(-0.0), np.float32(1))
        x = g.depthwise(entry(g), storage="sparse", zeros=0.1)
        return head(g, g.conv2d(x, 16, filters=filters.reshape(16, 1, 1, 16)))

    assert planned(net).clusters[0].zeros == 200


def test_zeros_are_those_of_the_whole_cluster() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(trunk(g), 16, zeros=0.0)
        return head(g, g.conv2d(x, 64, zeros=0.95))

    made = planned(net)
    assert made.verdict.sparse_pointwise == made.verdict.pointwise == 3


def test_output_in_the_middle_gives_the_cluster_up() -> None:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = trunk(g)
        return x, head(g, x)

    made = planned(net)
    (why,) = made.clusters[0].obstacles
    assert why.rule == "cluster-output"
    assert not made.clusters[0].complete
    assert made.outcome is Outcome.DENSE


def test_reader_outside_gives_the_cluster_up() -> None:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = trunk(g)
        return g.pool(x), head(g, x)

    (why,) = planned(net).clusters[0].obstacles
    assert why.rule == "cluster-consumer"
    assert "MAX_POOL_2D" in why.message


def test_reading_a_value_twice_gives_the_cluster_up() -> None:
    def net(g: GraphBuilder) -> Value:
        x = trunk(g)
        return head(g, g.add(x, x))

    made = planned(net)
    assert [why.rule for why in made.clusters[0].obstacles] == ["cluster-repeated"]
    assert made.outcome is Outcome.DENSE


def test_input_read_without_an_entry_gives_the_cluster_up() -> None:
    made = planned(
        lambda g: head(g, g.conv2d(g.input((1, 8, 8, 16)), 8, zeros=0.9, storage="sparse"))
    )
    assert [why.rule for why in made.clusters[0].obstacles] == ["cluster-input"]


def test_ineligible_producer_gives_the_cluster_up_and_says_why() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.conv2d(g.input((1, 40, 40, 3)), 16, 3, 2, name="stem")
        return head(g, g.conv2d(g.depthwise(x), 16, zeros=0.9, storage="sparse"))

    (why,) = planned(net).clusters[0].obstacles
    assert why.rule == "cluster-producer"
    assert "stem (CONV_2D), which uses SAME padding" in why.message


def test_nothing_happens_without_an_exit() -> None:
    made = planned(trunk)
    (cluster,) = made.clusters
    (partition,) = made.partitions
    assert not partition.has_exit
    assert not cluster.complete
    assert made.outcome is Outcome.DENSE
    assert [made.operators[i].label for i in partition.open_ends] == ["pointwise (CONV_2D)"]


@pytest.mark.parametrize(
    ("fill", "block"),
    [
        # Of 36 weights in 10 groups of four, 36 are 90 %.
        (lambda m: m[:, :10].fill(1) or m.__setitem__((slice(0, 4), 9), 0), 4),
        (lambda m: m[0:4, :10].fill(1), 4),
        (lambda m: m[0:2, :10].fill(1), 2),
        (lambda m: m[0:1, :10].fill(1), 1),
    ],
)
def test_kernel_by_filled_blocks(fill: Callable[[np.ndarray], None], block: int) -> None:
    mask = np.zeros((8, 16), np.float32)
    fill(mask)
    assert block_size(count(mask, "FLOAT32"), (1, 2, 4)) == block


@pytest.mark.parametrize(
    ("counts", "block"),
    [
        (Counts(100, 0, block_values=(36, 36), blocks=(20, 10)), 4),
        (Counts(100, 0, block_values=(36, 35), blocks=(20, 10)), 2),
        (Counts(100, 0, block_values=(35, 35), blocks=(20, 10)), 1),
        (Counts(16, 16, block_values=(0, 0), blocks=(0, 0)), 4),
        (Counts(16, 16), 1),
    ],
)
def test_kernel_at_ninety_percent_exactly(counts: Counts, block: int) -> None:
    assert block_size(counts, (1, 2, 4)) == block


def test_kernel_of_a_target_without_block_kernels_is_single() -> None:
    assert block_size(count(np.ones((8, 8), np.bool_), "BOOL"), (1,)) == 1


def test_incomplete_blocks_are_counted_apart() -> None:
    counts = count(np.ones((7, 3), np.bool_), "BOOL")
    assert counts == Counts(21, 0, block_values=(18, 12), blocks=(9, 3))


def test_counts_follow_an_edited_weight() -> None:
    subgraph = build_subgraph(by_zeros(200, storage="dense"))
    filt = next(op for op in subgraph.operators if op.name == "CONV_2D" and op.index > 1).inputs[1]
    assert filt is not None
    zeros = ZeroCounts()
    assert plan(subgraph, "arm64", zeros=zeros).clusters[0].zeros == 200
    filt.buffer.data = np.ones((15, 1, 1, 16), np.float32)
    assert plan(subgraph, "arm64", zeros=zeros).clusters[0].zeros == 0


def test_a_plan_believes_what_was_counted() -> None:
    subgraph = build_subgraph(by_zeros(200, storage="dense"))
    filt = next(op for op in subgraph.operators if op.name == "CONV_2D" and op.index > 1).inputs[1]
    assert filt is not None
    zeros = ZeroCounts()
    zeros.tell(filt, Counts(240, 7))
    assert plan(subgraph, "arm64", zeros=zeros).clusters[0].zeros == 7
