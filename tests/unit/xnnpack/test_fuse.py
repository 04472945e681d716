"""The define and fuse stages, seen in the operators that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build_subgraph
from tflite_sparse.xnnpack.plan import plan
from tflite_sparse.xnnpack.plan_types import Disposition

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.nets.builder import GraphBuilder, Value
    from tests.support.nets.small_nets import Net
    from tflite_sparse.xnnpack.plan import Plan

MAP = (1, 8, 8, 4)
GEMM = "Fully Connected (NC, F32) GEMM"
IGEMM = "Convolution (NHWC, F32) IGEMM"


def planned(net: Net) -> Plan:
    return plan(build_subgraph(net), "x86-noavx")


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def square(g: GraphBuilder, x: Value) -> Value:
    return g.mul(x, x)


CASES: list[tuple[str, Callable[[GraphBuilder], Value], tuple[str, ...]]] = [
    ("1x1 is fully connected", lambda g: g.conv2d(g.input(MAP), 8), (GEMM,)),
    ("1x1 with stride is not", lambda g: g.conv2d(g.input(MAP), 8, stride=2), (IGEMM,)),
    (
        "1x1 from one channel to one is not",
        lambda g: g.conv2d(g.input((1, 8, 8, 1)), 1),
        ("Convolution (NHWC, F32) DWConv",),
    ),
    (
        "dense layers flatten first",
        lambda g: g.fully_connected(g.input((2, 8)), 4),
        ("Static Reshape (NC)", GEMM),
    ),
    (
        "unless they keep dimensions",
        lambda g: g.fully_connected(g.input((2, 8)), 4, keep_num_dims=True),
        (GEMM,),
    ),
    (
        "activations fuse",
        lambda g: g.unary("RELU6", g.conv2d(g.input(MAP), 8)),
        (GEMM,),
    ),
    (
        "activations after addition do not",
        lambda g: g.add(g.input(MAP), g.unary("ABS", g.input(MAP)), activation="RELU"),
        ("Abs (NC)", "Add (ND)", "Clamp (NC)"),
    ),
    (
        "clamps merge",
        lambda g: g.unary("RELU6", g.unary("RELU", g.input(MAP))),
        ("Clamp (NC)",),
    ),
    (
        "padding fuses",
        lambda g: g.depthwise(g.pad_spatial(g.input(MAP)), padding="VALID"),
        ("Convolution (NHWC, F32) DWConv",),
    ),
    (
        "two paddings fuse",
        lambda g: g.depthwise(g.pad_spatial(g.pad_spatial(g.input(MAP))), 5, padding="VALID"),
        ("Constant Pad (ND, X32)", "Convolution (NHWC, F32) DWConv"),
    ),
    (
        "padding of a 1x1 does not",
        lambda g: g.conv2d(g.pad_spatial(g.input(MAP)), 8),
        ("Constant Pad (ND, X32)", GEMM),
    ),
    (
        "padding into SAME with stride does not",
        lambda g: g.conv2d(g.pad_spatial(g.input(MAP)), 8, kernel=3, stride=2),
        ("Constant Pad (ND, X32)", IGEMM),
    ),
    (
        "padding of channels does not",
        lambda g: g.conv2d(
            g.pad(g.input(MAP), ((0, 0), (1, 1), (1, 1), (0, 4))), 8, kernel=3, padding="VALID"
        ),
        ("Constant Pad (ND, X32)", IGEMM),
    ),
    (
        "a product of a value with itself is a square",
        lambda g: square(g, g.input(MAP)),
        ("Square (NC)",),
    ),
    (
        "a maximum with a scalar is a clamp",
        lambda g: g.binary("MAXIMUM", g.input(MAP), scalar(0.5)),
        ("Clamp (NC)",),
    ),
    (
        "a maximum with a vector is not",
        lambda g: g.binary("MAXIMUM", g.input(MAP), np.ones(4, np.float32)),
        ("Maximum (ND)",),
    ),
    (
        "mean of a square is one operator",
        lambda g: g.mean(g.unary("SQUARE", g.input(MAP))),
        ("Mean Squared (ND) Reduce2",),
    ),
    (
        "reshapes merge",
        lambda g: g.reshape(g.reshape(g.input(MAP), (1, 64, 4)), (1, 256)),
        ("Static Reshape (NC)",),
    ),
    (
        "a reshape with a gap does not take in the one before",
        lambda g: g.fully_connected(g.reshape(g.input(MAP), (1, 256)), 4),
        ("Static Reshape (NC)", "Static Reshape (NC)", GEMM),
    ),
    (
        "1x1 pooling after something vanishes",
        lambda g: g.pool(g.unary("ABS", g.input(MAP)), "AVERAGE_POOL_2D", kernel=1, stride=1),
        ("Abs (NC)",),
    ),
    (
        "1x1 pooling of an input is a copy",
        lambda g: g.pool(g.input(MAP), "AVERAGE_POOL_2D", kernel=1, stride=1),
        ("Copy (NC, X32)",),
    ),
    (
        "quantization on the fly is part of the product",
        lambda g: g.fully_connected(g.input((1, 8)), 4, storage="int8"),
        ("Static Reshape (NC)", "Fully Connected (NC, QD8, F32, QC8W) GEMM"),
    ),
    (
        "but not of a convolution",
        lambda g: g.conv2d(g.input(MAP), 4, kernel=3, storage="int8"),
        ("Convert (NC, F32, QD8)", "Convolution (NHWC, QD8, F32, QC8W) IGEMM"),
    ),
]


@pytest.mark.parametrize(("net", "names"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_operators_that_run(net: Callable[[GraphBuilder], Value], names: tuple[str, ...]) -> None:
    assert planned(net).executed == names


def test_activation_of_a_value_with_two_readers_stays() -> None:
    def net(g: GraphBuilder) -> tuple[Value, ...]:
        x = g.conv2d(g.input(MAP), 8)
        return g.unary("RELU", x), x

    assert planned(net).executed == (GEMM, "Clamp (NC)")


def test_fused_operator_says_what_it_vanished_in_and_why() -> None:
    made = planned(
        lambda g: g.unary("RELU", g.conv2d(g.pad_spatial(g.input(MAP)), 8, 3, 2, "VALID"))
    )
    pad, conv, relu = made.operators
    for vanished, rule in ((pad, "fuse-pad"), (relu, "fuse-clamp")):
        assert vanished.disposition is Disposition.FUSED
        assert [step.rule for step in vanished.steps] == [rule]
        assert vanished.fused_into == conv.index
    assert conv.disposition is Disposition.EXECUTED


def test_operator_that_nothing_reads_is_dropped() -> None:
    def net(g: GraphBuilder) -> Value:
        x = g.input(MAP)
        g.unary("ABS", x)
        return g.unary("NEG", x)

    made = planned(net)
    assert made.executed == ("Negate (NC)",)
    assert made.operators[0].disposition is Disposition.DROPPED


def test_explicit_padding_is_noted_for_stride_one_only() -> None:
    made = planned(lambda g: g.conv2d(g.conv2d(g.input(MAP), 4, 3), 4, 3, stride=2))
    assert [step.rule for step in made.operators[0].steps] == ["define-explicit-padding"]
    assert made.operators[1].steps == ()
