"""Every rule of the role stage, each with what triggers it and a near miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build_subgraph, entry, head, trunk
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tflite_sparse.xnnpack.plan_types import OperatorPlan


def planned(block: Callable[[GraphBuilder, Value], Value], name: str) -> OperatorPlan:
    """The last operator of a kind in a net whose trunk ends in a block."""
    made = plan(build_subgraph(lambda g: head(g, block(g, trunk(g)))), "x86-noavx")
    return [op for op in made.operators if op.name == name][-1]


def entries(net: Callable[[GraphBuilder], Value]) -> OperatorPlan:
    """The first convolution of a net."""
    made = plan(build_subgraph(net), "x86-noavx")
    return next(op for op in made.operators if op.name == "CONV_2D")


BLOCKS = [
    ("conv-groups", "CONV_2D", lambda g, x: g.conv2d(x, 16, groups=2)),
    ("conv-dilation", "CONV_2D", lambda g, x: g.conv2d(x, 16, kernel=3, dilation=2)),
    ("conv-kernel", "CONV_2D", lambda g, x: g.conv2d(x, 16, kernel=5)),
    ("conv-pointwise-stride", "CONV_2D", lambda g, x: g.conv2d(x, 16, stride=(2, 1))),
    ("conv-entry-stride", "CONV_2D", lambda g, x: g.conv2d(x, 16, kernel=3)),
    ("depthwise-dilation", "DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, dilation=2)),
    ("depthwise-same", "DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, stride=2)),
    ("depthwise-multiplier", "DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, multiplier=2)),
    (
        "depthwise-stride",
        "DEPTHWISE_CONV_2D",
        lambda g, x: g.depthwise(g.pad_spatial(x), stride=3, padding="VALID"),
    ),
    ("depthwise-kernel", "DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, kernel=7)),
    ("depthwise-padding", "DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, padding="VALID")),
    ("binary-operator", "SUB", lambda g, x: g.sub(x, g.unary("ABS", x))),
    ("binary-rank", "ADD", lambda g, x: g.add(x, np.ones(16, np.float32))),
    ("binary-constant", "ADD", lambda g, x: g.add(np.ones((1, 20, 1, 16), np.float32), x)),
    ("binary-second-constant", "ADD", lambda g, x: g.add(x, np.ones((1, 1, 1, 16), np.float32))),
    ("role-operator", "MAX_POOL_2D", lambda g, x: g.pool(x)),
    ("role-operator", "REDUCE_MAX", lambda g, x: g.reduce(x, "REDUCE_MAX", keep_dims=True)),
    (
        "conv-pointwise-padding",
        "CONV_2D",
        lambda g, x: g.conv2d(g.pad_spatial(x), 16, stride=2, padding="VALID"),
    ),
    (
        "resize-size",
        "RESIZE_BILINEAR",
        lambda g, x: g.resize_bilinear(g.pool(x, kernel=20, stride=20), 4),
    ),
    ("unary-rank", "ABS", lambda g, x: g.reshape(g.unary("ABS", g.reshape(x, (400, 16))), x.shape)),
    (
        "reduce-rank",
        "SUM",
        lambda g, x: g.reshape(g.sum(g.reshape(x, (1, 400, 4, 2, 2)), axes=(4,)), (1, 20, 20, 8)),
    ),
]


@pytest.mark.parametrize(("code", "name", "block"), BLOCKS, ids=[f"{c}-{n}" for c, n, _ in BLOCKS])
def test_rule_refuses_the_operator_that_breaks_it(
    code: str, name: str, block: Callable[[GraphBuilder, Value], Value]
) -> None:
    op = planned(block, name)
    assert op.role is Role.NONE
    assert op.role_refusal is not None
    assert op.role_refusal.rule == code
    assert op.role_refusal.operator == op.index


NEAR_MISSES = [
    ("CONV_2D", lambda g, x: g.conv2d(x, 16)),
    ("DEPTHWISE_CONV_2D", lambda g, x: g.depthwise(x, kernel=5)),
    (
        "DEPTHWISE_CONV_2D",
        lambda g, x: g.depthwise(g.pad_spatial(x, 2), kernel=5, stride=2, padding="VALID"),
    ),
    (
        "DEPTHWISE_CONV_2D",
        lambda g, x: g.depthwise(g.pad_spatial(x), stride=2, padding="VALID"),
    ),
    ("ADD", lambda g, x: g.add(np.ones((1, 1, 1, 16), np.float32), x)),
    ("ADD", lambda g, x: g.add(x, g.unary("ABS", x))),
    ("ABS", lambda g, x: g.unary("ABS", x)),
    ("RESIZE_BILINEAR", lambda g, x: g.resize_bilinear(x, 40)),
]


@pytest.mark.parametrize(("name", "block"), NEAR_MISSES)
def test_near_miss_is_inner(name: str, block: Callable[[GraphBuilder, Value], Value]) -> None:
    op = planned(block, name)
    assert op.role is Role.INNER
    assert op.role_refusal is None


def test_mean_is_inner_and_exit_whatever_its_axes() -> None:
    made = plan(build_subgraph(lambda g: g.mean(trunk(g), axes=(3,))), "x86-noavx")
    assert made.operators[-1].role is Role.INNER_OR_EXIT


def test_depth_to_space_is_an_exit_only() -> None:
    made = plan(build_subgraph(lambda g: g.depth_to_space(trunk(g))), "x86-noavx")
    assert made.operators[-1].role is Role.EXIT


def test_entry_pads_one_on_each_side_by_a_pad_that_fuses() -> None:
    op = entries(lambda g: head(g, trunk(g)))
    assert op.role is Role.ENTRY


@pytest.mark.parametrize(
    ("code", "net"),
    [
        (
            "conv-entry-padding",
            lambda g: g.conv2d(
                g.pad_spatial(g.input((1, 40, 40, 3)), (0, 1)), 8, 3, 2, padding="VALID"
            ),
        ),
        ("conv-entry-padding", lambda g: g.conv2d(g.input((1, 41, 41, 3)), 8, kernel=3, stride=2)),
        (
            "conv-entry-channels",
            lambda g: g.conv2d(g.pad_spatial(g.input((1, 40, 40, 4))), 8, 3, 2, padding="VALID"),
        ),
        ("conv-entry-stride", lambda g: g.conv2d(g.input((1, 40, 40, 3)), 8, kernel=3)),
    ],
)
def test_entry_that_is_none(code: str, net: Callable[[GraphBuilder], Value]) -> None:
    op = entries(net)
    assert op.role_refusal is not None
    assert op.role_refusal.rule == code


def test_pad_with_two_readers_does_not_fuse() -> None:
    def net(g: GraphBuilder) -> Value:
        padded = g.pad_spatial(g.input((1, 40, 40, 3)))
        stem = g.conv2d(padded, 3, kernel=3, stride=2, padding="VALID")
        return g.add(stem, g.pool(padded, kernel=3, padding="VALID"))

    why = entries(net).role_refusal
    assert why is not None
    assert why.rule == "conv-entry-padding"


def test_quantized_operators_have_no_role() -> None:
    made = plan(
        build_subgraph(
            lambda g: g.fully_connected(g.input((1, 8), "INT8", scale=0.1), 4, storage="int8")
        ),
        "x86-noavx",
    )
    assert made.operators[-1].role_refusal is not None
    assert made.operators[-1].role_refusal.rule == "role-type"


def test_message_names_the_operator_as_the_model_does() -> None:
    made = plan(
        build_subgraph(
            lambda g: g.conv2d(
                g.pad_spatial(g.input((1, 40, 40, 3)), (0, 1)),
                8,
                3,
                2,
                padding="VALID",
                name="conv1",
            )
        ),
        "x86-noavx",
    )
    why = made.operators[-1].role_refusal
    assert why is not None
    assert why.message == (
        "conv1 (CONV_2D) pads top 0, right 1, bottom 1, left 0;"
        " the first convolution must pad exactly 1 on every side"
    )
    assert (why.found, why.wanted) == ("top 0, right 1, bottom 1, left 0", "1 on every side")


def test_entry_of_the_tests_is_one() -> None:
    assert entries(entry).role is Role.ENTRY
