"""Depthwise convolutions in a cluster, and those that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.runtime_model.cases.parts import block, entry, head, image, pointwise
from tests.runtime_model.cases.registry import SPARSE, WRONG, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


@block(SPARSE, rule="define-explicit-padding")
def same(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x)


@block(SPARSE, near="depthwise-kernel")
def same_five(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, 5)


@block(SPARSE, near="depthwise-same")
def padded_with_stride_two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x), 3, 2, "VALID")


@block(SPARSE, near="depthwise-same")
def padded_five_with_stride_two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x, 2), 5, 2, "VALID")


@block(SPARSE, near="depthwise-padding")
def padded_with_stride_one(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x), 3, 1, "VALID")


@block(WRONG, rule="depthwise-same")
def same_with_stride_two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, 3, 2)


@case(WRONG, rule="depthwise-same")
def same_with_stride_two_where_it_pads_one_on_each_side(g: GraphBuilder) -> Value:
    x = pointwise(g, entry(g, image(g, (21, 21))))  # a map of 11 x 11
    return head(g, pointwise(g, g.depthwise(x, 3, 2)))


@block(WRONG, rule="depthwise-padding")
def padded_after_only(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x, (0, 1)), 3, 2, "VALID")


@block(WRONG, rule="depthwise-padding")
def padded_two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x, 2), 3, 1, "VALID")


@block(WRONG, rule="depthwise-padding")
def five_padded_one(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x, 1), 5, 1, "VALID")


@block(WRONG, rule="depthwise-padding")
def valid(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, padding="VALID")


@block(WRONG, rule="depthwise-kernel")
def seven(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, 7)


@block(WRONG, rule="depthwise-kernel")
def four_by_six(g: GraphBuilder, x: Value) -> Value:
    # 24 weights a channel: outside the sparse layout the largest depthwise kernel takes 25 ...
    return g.depthwise(x, (4, 6))


@block(WRONG, rule="depthwise-kernel")
def three_by_nine(g: GraphBuilder, x: Value) -> Value:
    # ... and beyond that a common one runs.
    return g.depthwise(x, (3, 9))


@block(WRONG, rule="depthwise-kernel")
def one(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, 1)


@block(WRONG, rule="depthwise-kernel")
def three_by_five(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, (3, 5))


@block(WRONG, rule="depthwise-kernel")
def two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, 2)


@block(WRONG, rule="depthwise-stride")
def stride_three(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x), 3, 3, "VALID")


@block(WRONG, rule="depthwise-stride")
def stride_two_in_one_direction(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(g.pad_spatial(x), 3, (2, 1), "VALID")


@block(WRONG, rule="depthwise-multiplier")
def multiplier_two(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, multiplier=2)


@block(WRONG, rule="depthwise-dilation")
def dilated(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, dilation=2)


@block(WRONG, rule="depthwise-padding")
def pad_that_two_read(g: GraphBuilder, x: Value) -> Value:
    padded = g.pad_spatial(x)
    return g.add(
        g.depthwise(padded, padding="VALID"), g.pool(padded, kernel=3, stride=1, padding="VALID")
    )


@block(SPARSE, rule="fuse-clamp")
def relu6(g: GraphBuilder, x: Value) -> Value:
    return g.unary("RELU6", g.depthwise(x))


@block(SPARSE, near="depthwise-kernel")
def zeros_in_it_are_not_counted(g: GraphBuilder, x: Value) -> Value:
    return g.depthwise(x, zeros=0.0)


@block(SPARSE, near="depthwise-kernel")
def map_of_three(g: GraphBuilder, x: Value) -> Value:
    for _ in range(2):
        x = g.depthwise(g.pad_spatial(x), 3, 2, "VALID")
    return g.depthwise(x, 5)


@case(SPARSE, near="depthwise-kernel")
def map_that_is_wide_and_odd(g: GraphBuilder) -> Value:
    x = g.depthwise(g.pad_spatial(entry(g, image(g, (22, 38)))), 3, 2, "VALID")
    return head(g, pointwise(g, g.depthwise(x, 5)))
