"""Elementwise operators in a cluster: one operand, two, and a constant in each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.runtime_model.cases.parts import block, ones, pointwise
from tests.runtime_model.cases.registry import DENSE, SPARSE, WRONG

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

SCALAR = np.array(0.5, np.float32)


def scale(*shape: int) -> np.ndarray:
    """Different numbers around one."""
    return np.linspace(0.5, 1.5, int(np.prod(shape)), dtype=np.float32).reshape(shape)


# One operand

for _name in (
    "RELU", "RELU6", "RELU_N1_TO_1", "ABS", "NEG", "EXP", "SQUARE", "TANH", "LOGISTIC", "ELU",
    "HARD_SWISH", "GELU", "COS", "SIN", "FLOOR", "CEIL", "ROUND",
):  # fmt: skip

    @block(SPARSE, near="unary-rank", name=_name.lower())
    def _(g: GraphBuilder, x: Value, kind: str = _name) -> Value:
        return g.unary(kind, x)


for _name in ("SQRT", "RSQRT", "LOG"):

    @block(SPARSE, near="unary-rank", name=_name.lower())
    def _(g: GraphBuilder, x: Value, kind: str = _name) -> Value:
        return g.unary(kind, g.unary("EXP", x))


@block(SPARSE, near="unary-rank")
def leaky_relu(g: GraphBuilder, x: Value) -> Value:
    return g.leaky_relu(x)


@block(WRONG, rule="binary-operator")
def prelu(g: GraphBuilder, x: Value) -> Value:
    return g.prelu(x)


@block(WRONG, rule="role-operator")
def softmax(g: GraphBuilder, x: Value) -> Value:
    return g.softmax(x)


@block(WRONG, rule="unary-rank")
def of_a_matrix(g: GraphBuilder, x: Value) -> Value:
    flat = g.unary("TANH", g.reshape(x, (100, 16)))
    return g.reshape(flat, (1, 10, 10, 16))


@block(SPARSE, rule="rewrite-square")
def product_with_itself(g: GraphBuilder, x: Value) -> Value:
    return g.mul(x, x)


@block(SPARSE, rule="rewrite-clamp")
def maximum_with_a_scalar(g: GraphBuilder, x: Value) -> Value:
    return g.maximum(x, SCALAR)


@block(SPARSE, rule="rewrite-clamp")
def minimum_with_a_scalar_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.minimum(SCALAR, x)


# Two values of the cluster


@block(SPARSE, near="binary-operator")
def addition(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, pointwise(g, x))


@block(SPARSE, near="binary-operator")
def multiplication(g: GraphBuilder, x: Value) -> Value:
    return g.mul(x, pointwise(g, x))


@block(SPARSE, near="delegate-activation")
def addition_with_relu(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, pointwise(g, x), activation="RELU")


@block(DENSE, rule="cluster-repeated")
def addition_to_itself(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, x)


@block(DENSE, rule="binary-operator")
def subtraction(g: GraphBuilder, x: Value) -> Value:
    return g.sub(x, g.unary("ABS", x))


@block(DENSE, rule="binary-operator")
def division(g: GraphBuilder, x: Value) -> Value:
    return g.div(x, g.unary("EXP", x))


@block(DENSE, rule="binary-operator")
def maximum(g: GraphBuilder, x: Value) -> Value:
    return g.maximum(x, g.unary("NEG", x))


@block(DENSE, rule="binary-operator")
def squared_difference(g: GraphBuilder, x: Value) -> Value:
    return g.binary("SQUARED_DIFFERENCE", x, g.unary("ABS", x))


# A constant in front


@block(SPARSE, near="binary-constant")
def channels_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.mul(scale(1, 1, 1, 16), x)


@block(SPARSE, near="binary-constant")
def single_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.add(scale(1, 1, 1, 1), x)


@block(WRONG, rule="binary-constant")
def columns_and_channels_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.add(scale(1, 1, 10, 16), x)


@block(WRONG, rule="binary-constant")
def whole_map_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.mul(scale(1, 10, 10, 16), x)


@block(WRONG, rule="binary-rank")
def vector_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.add(scale(16), x)


@block(WRONG, rule="binary-rank")
def scalar_in_front(g: GraphBuilder, x: Value) -> Value:
    return g.mul(SCALAR, x)


# A constant behind


@block(WRONG, rule="binary-second-constant")
def channels_behind(g: GraphBuilder, x: Value) -> Value:
    return g.mul(x, scale(1, 1, 1, 16))


@block(WRONG, rule="binary-second-constant")
def single_behind(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, scale(1, 1, 1, 1))


@block(WRONG, rule="binary-second-constant")
def whole_map_behind(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, scale(1, 10, 10, 16))


@block(WRONG, rule="binary-rank")
def vector_behind(g: GraphBuilder, x: Value) -> Value:
    return g.mul(x, scale(16))


@block(WRONG, rule="binary-rank")
def scalar_behind(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, SCALAR)


@block(WRONG, rule="binary-operator")
def difference_of_a_constant(g: GraphBuilder, x: Value) -> Value:
    return g.sub(x, ones(1, 1, 1, 16))


@block(WRONG, rule="binary-operator")
def maximum_with_channels(g: GraphBuilder, x: Value) -> Value:
    return g.maximum(x, scale(1, 1, 1, 16) - 1)


@block(WRONG, rule="binary-operator")
def quotient_of_a_scalar(g: GraphBuilder, x: Value) -> Value:
    return g.div(x, SCALAR)
