"""Outcomes: today's runtime fails or lies in many ways, and the plan says which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import (
    build,
    build_subgraph,
    entry,
    head,
    pointwise,
    through,
    trunk,
)
from tflite_sparse.model import Model
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.releases.runtimes import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.xnnpack.plan import Plan


def planned(net: Net) -> Plan:
    return plan(build_subgraph(net), "x86-noavx")


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def excite(g: GraphBuilder, x: Value) -> Value:
    gate = pointwise(g, pointwise(g, g.mean(x, keep_dims=True), 8), 16)
    return g.mul(x, g.unary("LOGISTIC", gate))


def joined(g: GraphBuilder, kind: str, other: Callable[[Value], Value]) -> Value:
    """A trunk's value joined with what is made of it."""
    x = trunk(g)
    return g.binary(kind, x, other(x))


WRONG: dict[str, Net] = {
    "depthwise SAME with stride 2": through(lambda g, x: g.depthwise(x, stride=2)),
    "7x7": through(lambda g, x: g.depthwise(x, kernel=7)),
    "dilated": through(lambda g, x: g.depthwise(x, dilation=2)),
    "multiplier 2": through(lambda g, x: g.depthwise(x, multiplier=2)),
    "VALID with stride 1": through(lambda g, x: g.depthwise(x, padding="VALID")),
    "1x1 with stride 2": through(lambda g, x: g.conv2d(x, 16, stride=2)),
    "3x3": through(lambda g, x: g.conv2d(x, 16, kernel=3)),
    "PRELU": through(lambda g, x: g.prelu(x)),
    "MAX_POOL": through(lambda g, x: g.pool(x)),
    "average pool": through(lambda g, x: g.pool(x, "AVERAGE_POOL_2D")),
    "scalar": through(lambda g, x: g.add(x, np.array(0.5, np.float32))),
    "vector": through(lambda g, x: g.add(x, ones(16))),
    "constant in second place": through(lambda g, x: g.add(x, ones(1, 1, 1, 16))),
    "RESHAPE": through(lambda g, x: g.reshape(x, (1, 400, 1, 16))),
    "squeeze and excite before a map": lambda g: pointwise(g, excite(g, trunk(g))),
    "MEAN and SOFTMAX": lambda g: g.softmax(g.mean(trunk(g), keep_dims=True)),
    "MEAN and CONCATENATION": lambda g: g.concat([g.mean(trunk(g), keep_dims=True)] * 2),
    "one spatial axis": lambda g: g.mean(trunk(g), axes=(1,)),
    "batch": lambda g: g.mean(trunk(g), axes=(0,)),
    "a second entry": lambda g: head(
        g, pointwise(g, g.conv2d(g.pad_spatial(pointwise(g, trunk(g), 3)), 16, 3, 2, "VALID"))
    ),
}


def test_an_output_of_another_shape_is_told_as_such() -> None:
    made = planned(lambda g: g.mean(trunk(g), keep_dims=True))
    assert made.outcome is Outcome.OUTPUT_SHAPE
    assert made.outcome.is_failure
    (reason,) = made.verdict.reasons
    assert "the shape 1x16x1x1 for 1x1x1x16" in reason.message


@pytest.mark.parametrize("net", WRONG.values(), ids=WRONG.keys())
def test_wrong_numbers(net: Net) -> None:
    made = planned(net)
    assert made.outcome is Outcome.WRONG_NUMBERS
    assert made.verdict.reasons
    assert made.verdict.reasons[0].operator is not None


LOAD: dict[str, Net] = {
    "MEAN and 1x1": lambda g: pointwise(g, g.mean(trunk(g), keep_dims=True), 8),
    "MEAN and FULLY_CONNECTED in 4-D": lambda g: g.fully_connected(
        g.mean(trunk(g), keep_dims=True), 8, keep_num_dims=True, zeros=0.9
    ),
    "MEAN and ADD of a constant": lambda g: g.add(
        g.mean(trunk(g), keep_dims=True), ones(1, 1, 1, 16)
    ),
    "MUL with MEAN": lambda g: head(
        g, pointwise(g, joined(g, "MUL", lambda x: g.mean(x, keep_dims=True)))
    ),
    "MEAN, SQUEEZE": lambda g: g.fully_connected(
        g.squeeze(g.mean(trunk(g), keep_dims=True), [1, 2]), 4
    ),
}


@pytest.mark.parametrize("net", LOAD.values(), ids=LOAD.keys())
def test_load_failure(net: Net) -> None:
    assert planned(net).outcome is Outcome.LOAD_FAILURE


def test_sizes_that_happen_to_match_are_right() -> None:
    # The shape of the mean takes the height for the channels: 16 either way.
    def net(g: GraphBuilder) -> Value:
        x = trunk(g, (32, 32))
        return g.add(g.mean(x, keep_dims=True), ones(1, 1, 1, 16))

    assert planned(net).outcome is Outcome.SPARSE


ABORT: dict[str, Net] = {
    "all axes": lambda g: g.mean(trunk(g), axes=(0, 1, 2, 3)),
    "one axis of a map that is wider than high": lambda g: g.mean(trunk(g, (40, 60)), axes=(2,)),
    "MEAN and SUB of a constant": lambda g: g.sub(
        g.mean(trunk(g), keep_dims=True), ones(1, 1, 1, 16)
    ),
}


@pytest.mark.parametrize("net", ABORT.values(), ids=ABORT.keys())
def test_process_abort(net: Net) -> None:
    assert planned(net).outcome is Outcome.PROCESS_ABORT


RIGHT: dict[str, Net] = {
    "MEAN without keep_dims": lambda g: head(g, trunk(g)),
    "MEAN and RESHAPE": lambda g: g.reshape(g.mean(trunk(g), keep_dims=True), (1, 16)),
    "MEAN and FULLY_CONNECTED that flattens": lambda g: g.fully_connected(
        g.mean(trunk(g), keep_dims=True), 4
    ),
    "negative axes": lambda g: g.mean(trunk(g), axes=(-2, -3)),
    "channels": lambda g: g.mean(trunk(g), axes=(3,)),
    "SUM": lambda g: g.sum(trunk(g)),
    "DEPTH_TO_SPACE and anything": lambda g: g.pool(g.depth_to_space(trunk(g))),
    "residual": lambda g: head(g, joined(g, "ADD", lambda x: pointwise(g, g.depthwise(x)))),
    "squeeze and excite": lambda g: head(g, pointwise(g, excite(g, trunk(g)))),
    "resize": lambda g: head(g, pointwise(g, g.resize_bilinear(trunk(g), 40))),
    "square": lambda g: head(g, joined(g, "MUL", lambda x: x)),
    "odd map": lambda g: head(g, trunk(g, (41, 57))),
}


@pytest.mark.parametrize("net", RIGHT.values(), ids=RIGHT.keys())
def test_sparse_and_right(net: Net) -> None:
    made = planned(net)
    assert made.outcome is Outcome.SPARSE
    assert made.verdict.reasons == ()
    assert any("SPMM" in name for name in made.executed)


@pytest.mark.parametrize(
    "name", ["HARD_SWISH", "LOGISTIC", "RELU", "TANH", "ELU", "ABS", "EXP", "GELU", "LEAKY_RELU"]
)
def test_elementwise_operators_stay_sparse(name: str) -> None:
    def net(g: GraphBuilder) -> Value:
        x = trunk(g)
        return head(g, pointwise(g, g.leaky_relu(x) if name == "LEAKY_RELU" else g.unary(name, x)))

    assert planned(net).outcome is Outcome.SPARSE


DENSE: dict[str, Net] = {
    "a map": trunk,
    "global average pool": lambda g: g.pool(trunk(g), "AVERAGE_POOL_2D", kernel=20, stride=1),
    "SUB in the trunk": lambda g: head(g, joined(g, "SUB", lambda x: g.unary("ABS", x))),
    "CONCATENATION of cluster values": lambda g: head(
        g, g.concat([(x := trunk(g)), g.unary("ABS", x)])
    ),
}


@pytest.mark.parametrize("net", DENSE.values(), ids=DENSE.keys())
def test_dense_and_right(net: Net) -> None:
    made = planned(net)
    assert made.outcome is Outcome.DENSE
    assert not any("NCHW" in name for name in made.executed)


def test_failures_need_the_hint() -> None:
    net = lambda g: g.softmax(g.mean(trunk(g, storage="dense"), keep_dims=True))  # noqa: E731
    assert planned(net).outcome is Outcome.DENSE


def test_large_quantized_head_reads_past_the_file() -> None:
    def net(g: GraphBuilder) -> Value:
        return g.fully_connected(g.mean(trunk(g)), 4096, storage="int8")

    made = planned(net)
    assert made.outcome is Outcome.PROCESS_ABORT
    assert made.verdict.reasons[0].rule == "filter-type"


def test_filter_that_is_computed_in_the_cluster_is_counted_where_the_delegate_takes_it() -> None:
    def net(g: GraphBuilder) -> Value:
        x = trunk(g, (32, 32))
        filters = g.mean(x, axes=(0, 1))
        return g.fully_connected(g.mean(x), 16, filters=filters, bias=False, keep_num_dims=True)

    subgraph = build_subgraph(net)
    assert plan(subgraph, "x86-noavx").outcome is Outcome.WRONG_NUMBERS
    made = plan(subgraph, "x86-noavx", runtime=Runtime("later", dynamic_fully_connected=True))
    assert made.outcome is Outcome.PROCESS_ABORT
    assert [why.rule for why in made.verdict.reasons] == ["filter-computed"]


def test_what_follows_a_reduction_along_another_axis_is_told_too() -> None:
    made = planned(
        lambda g: head(g, pointwise(g, g.mean(trunk(g, (40, 60)), axes=(1,), keep_dims=True)))
    )
    rules = [why.rule for why in made.verdict.reasons]
    assert rules[:2] == ["layout-axes", "layout-nhwc-read"]


def test_right_and_sparse_counts_convolutions_and_multiplications() -> None:
    made = planned(lambda g: head(g, pointwise(g, trunk(g), 32)))
    verdict = made.verdict
    assert (verdict.pointwise, verdict.sparse_pointwise) == (2, 2)
    assert verdict.sparse_macs == 20 * 20 * 16 * (16 + 32)
    assert verdict.macs > verdict.sparse_macs


def test_entry_alone_is_no_cluster() -> None:
    assert planned(lambda g: head(g, entry(g))).outcome is Outcome.DENSE


def test_a_filter_without_channels_leaves_the_rest_to_be_planned():
    model = Model.read(build(lambda g: head(g, trunk(g, storage="dense"))))
    stem = next(op for op in model.operators() if op.name == "CONV_2D")
    filters = stem.inputs[1]
    assert filters is not None
    filters.table["shape"] = np.array([0, 3, 3, 3], np.int32)
    assert plan(Model.read(model.to_bytes()).main, "x86-noavx").outcome in set(Outcome)
