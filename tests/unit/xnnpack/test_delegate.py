"""The delegate stage: what XNNPACK takes, unpacks and is hinted by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build_subgraph, head, trunk
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Disposition, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.xnnpack.plan import Plan

MAP = (1, 8, 8, 4)


def planned(net: Net) -> Plan:
    return plan(build_subgraph(net), "x86-noavx")


REFUSED = [
    ("delegate-operator", lambda g: g.squeeze(g.input((1, 1, 8)), [1])),
    ("delegate-operator", lambda g: g.reverse(g.input(MAP), [1])),
    ("delegate-bias", lambda g: g.conv2d(g.input(MAP), 4, bias=None)),
    ("delegate-version", lambda g: g.fully_connected(g.input((1, 8)), 4, storage="sparse-direct")),
    ("delegate-type", lambda g: g.unary("ABS", g.input((1, 8), "INT32"))),
    ("delegate-rank", lambda g: g.unary("ABS", g.input((1, 1, 1, 1, 1, 1, 2)))),
    ("delegate-activation", lambda g: g.conv2d(g.input(MAP), 4, activation="TANH")),
    ("delegate-option", lambda g: g.softmax(g.input((1, 8)), beta=2.0)),
    ("delegate-option", lambda g: g.pool(g.input(MAP), kernel=2, stride=3)),
    ("delegate-option", lambda g: g.leaky_relu(g.input(MAP), alpha=0.0)),
    (
        "delegate-option",
        lambda g: g.strided_slice(g.input((1, 8)), [0, 0], [1, 8], [1, 2]),
    ),
    ("delegate-operands", lambda g: g.concat([g.input((1, 2), name=f"i{n}") for n in range(6)], 1)),
    (
        "delegate-constant",
        lambda g: g.fully_connected(
            g.input((1, 8)), 4, filters=g.input((4, 8), name="w"), bias=False
        ),
    ),
]


@pytest.mark.parametrize(("code", "net"), REFUSED)
def test_rule_leaves_the_operator_to_tflite(
    code: str, net: Callable[[GraphBuilder], Value]
) -> None:
    op = planned(net).operators[-1]
    assert not op.delegated
    assert op.disposition is Disposition.TFLITE
    assert op.refusal is not None
    assert op.refusal.rule == code


TAKEN = [
    lambda g: g.conv2d(g.input(MAP), 4),
    lambda g: g.fully_connected(g.input((1, 8)), 4),
    lambda g: g.softmax(g.input((1, 8))),
    lambda g: g.pool(g.input(MAP), kernel=3, stride=2),
    lambda g: g.leaky_relu(g.input(MAP), alpha=0.1),
    lambda g: g.strided_slice(g.input((1, 8)), [0, 1], [1, 8], [1, 1]),
    lambda g: g.concat([g.input((1, 2), name=f"i{n}") for n in range(5)], 1),
    lambda g: g.conv2d(g.input(MAP), 4, activation="RELU6"),
    lambda g: g.prelu(g.input(MAP)),
    lambda g: g.transpose_conv(g.input(MAP), 3),
    lambda g: g.reshape(g.input(MAP), (1, 256)),
]


@pytest.mark.parametrize("net", TAKEN)
def test_near_miss_is_taken(net: Callable[[GraphBuilder], Value]) -> None:
    op = planned(net).operators[-1]
    assert op.delegated
    assert op.partition == 0


def test_operator_outside_ends_the_partition() -> None:
    made = planned(lambda g: g.unary("ABS", g.reverse(g.unary("ABS", g.input(MAP)), [1])))
    assert [part.operators for part in made.partitions] == [(0,), (2,)]
    assert made.operators[1].partition is None


def test_partition_grows_past_an_operator_outside_that_is_not_in_its_way() -> None:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = g.input(MAP)
        return g.reverse(x, [1]), g.unary("ABS", x), g.unary("NEG", x)

    assert [part.operators for part in planned(net).partitions] == [(1, 2)]


@pytest.mark.parametrize("storage", ["sparse", "fp16-sparse"])
def test_densify_is_folded_and_sets_the_hint(storage: str) -> None:
    made = planned(lambda g: head(g, trunk(g, storage=storage)))
    densify = next(op for op in made.operators if op.name == "DENSIFY")
    assert densify.disposition is Disposition.FOLDED
    assert [step.rule for step in densify.steps] == ["fold-densify"]
    (part,) = made.partitions
    (hint,) = part.hints
    assert made.operators[hint.operator].label == "pointwise (CONV_2D)"
    assert hint.operand == 1


@pytest.mark.parametrize("storage", ["dense", "fp16"])
def test_dense_weights_set_no_hint(storage: str) -> None:
    made = planned(lambda g: head(g, trunk(g, storage=storage)))
    assert not made.hinted
    assert made.outcome is Outcome.DENSE


def test_hint_comes_from_any_operand_of_any_operator() -> None:
    def net(g: GraphBuilder) -> Value:
        x = trunk(g, storage="dense")
        weight = np.where(np.arange(16) % 2, 1.0, 0.0).astype(np.float32).reshape(1, 1, 1, 16)
        return head(g, g.add(g.constant(weight, storage="sparse"), x))

    made = planned(net)
    assert made.hinted
    assert made.outcome is Outcome.SPARSE


def test_hint_holds_for_its_partition_only() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.reverse(trunk(g), [1])
        return g.conv2d(x, 8, zeros=0.9)

    assert [part.hinted for part in planned(net).partitions] == [True, False]


def test_densify_read_outside_xnnpack_stays_there() -> None:
    def net(g: GraphBuilder) -> Value:
        weight = g.constant(np.eye(8, dtype=np.float32), storage="sparse")
        return g.op("POW", [g.input((8, 8)), weight], [((8, 8), "FLOAT32")])[0]

    densify = planned(net).operators[0]
    assert densify.refusal is not None
    assert densify.refusal.rule == "densify-kept"
    assert not densify.delegated


def test_sparse_weight_without_any_value_is_a_constant() -> None:
    zeros = np.zeros((4, 1, 1, 4), np.float32)
    made = planned(lambda g: g.conv2d(g.input(MAP), 4, filters=zeros, storage="sparse"))
    assert made.operators[-1].delegated


@pytest.mark.parametrize(
    ("half", "full", "taken"),
    [("fp16", "dense", True), ("dense", "fp16", False), ("fp16", "fp16", True)],
)
def test_filter_and_bias_types_go_together(half: str, full: str, taken: bool) -> None:
    made = planned(lambda g: g.conv2d(g.input(MAP), 4, storage=half, bias_storage=full))
    assert made.operators[-1].delegated is taken


def test_int8_densify_into_a_matrix_product_does_not_load() -> None:
    made = planned(
        lambda g: g.fully_connected(g.input((1, 8)), 4, storage="int8-sparse", zeros=0.8)
    )
    assert made.outcome is Outcome.LOAD_FAILURE
    assert made.verdict.reasons[0].rule == "filter-unpacked"


def test_int8_densify_into_a_depthwise_convolution_loads() -> None:
    made = planned(lambda g: g.depthwise(g.input(MAP), storage="int8-sparse", zeros=0.8))
    assert made.outcome is Outcome.DENSE


def test_sparse_filter_of_a_late_version_is_taken_for_dense() -> None:
    made = planned(
        lambda g: g.fully_connected(
            g.input((1, 32)), 4, storage="sparse-direct", zeros=0.8, version=12
        )
    )
    assert made.outcome is Outcome.WRONG_NUMBERS
    assert made.verdict.reasons[0].rule == "filter-packed"


@pytest.mark.parametrize(
    ("storage", "activation", "outcome"),
    [
        ("fp16-sparse", "TANH", Outcome.WRONG_NUMBERS),
        ("fp16-sparse", "RELU", Outcome.DENSE),
        ("sparse", "TANH", Outcome.DENSE),
        ("fp16", "TANH", Outcome.DENSE),
    ],
)
def test_a_half_precision_weight_behind_densify_is_lost_outside_xnnpack(
    storage: str, activation: str, outcome: Outcome
) -> None:
    made = planned(
        lambda g: g.conv2d(g.input(MAP), 4, storage=storage, activation=activation, zeros=0.5)
    )
    assert made.outcome is outcome
    wanted = ["weight-lost"] if outcome is Outcome.WRONG_NUMBERS else []
    assert [reason.rule for reason in made.verdict.reasons] == wanted
