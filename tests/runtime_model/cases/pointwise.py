"""1x1 convolutions and dense layers in a cluster, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.runtime_model.cases.parts import block, entry, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import DENSE, LOAD_FAILURE, SPARSE, WRONG, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


@block(SPARSE, rule="define-fully-connected")
def one_more(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x)


@block(SPARSE, near="conv-pointwise-padding")
def valid(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, padding="VALID")


@block(SPARSE, rule="fuse-clamp")
def relu(g: GraphBuilder, x: Value) -> Value:
    return g.unary("RELU", pointwise(g, x))


@block(SPARSE, near="delegate-activation")
def fused_relu_n1_to_1(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, activation="RELU_N1_TO_1")


@block(DENSE, rule="delegate-activation")
def fused_tanh(g: GraphBuilder, x: Value) -> Value:
    # It runs outside XNNPACK, and no cluster reaches across it.
    return g.conv2d(x, 16, activation="TANH")


@block(WRONG, rule="conv-pointwise-stride")
def stride_two(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, stride=2)


@block(WRONG, rule="conv-pointwise-stride")
def stride_in_one_direction(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, stride=(1, 2))


@block(WRONG, rule="conv-pointwise-padding")
def padded_and_stride_two(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(g.pad_spatial(x), 16, stride=2, padding="VALID")


@block(WRONG, rule="role-operator")
def pad_before_one(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(g.pad_spatial(x), 16)


@block(WRONG, rule="conv-groups")
def groups(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, groups=2)


@block(WRONG, rule="conv-entry-stride")
def three_by_three(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, 3)


@block(WRONG, rule="conv-kernel")
def five_by_five(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, 5)


@block(WRONG, rule="conv-kernel")
def one_by_three(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, (1, 3))


@block(WRONG, rule="conv-dilation")
def dilated(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, 3, dilation=2)


@block(WRONG, rule="conv-entry-channels")
def entry_of_sixteen_channels(g: GraphBuilder, x: Value) -> Value:
    return entry(g, x)


@block(WRONG, rule="layout-nchw-read")
def entry_in_the_middle(g: GraphBuilder, x: Value) -> Value:
    return entry(g, pointwise(g, x, 3))


@block(SPARSE, near="conv-entry-channels")
def two_channels(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, 2, zeros=0.75)


@block(SPARSE, near="conv-kernel")
def one_channel(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, 1, zeros=0.75)


@block(SPARSE, near="conv-kernel")
def odd_number_of_channels(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, 13)


@block(SPARSE, near="conv-kernel")
def many_channels(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, 70)


@block(SPARSE, near="conv-kernel")
def filter_of_zeros_alone(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, zeros=1.0)


@block(SPARSE, near="conv-kernel")
def shared_filter(g: GraphBuilder, x: Value) -> Value:
    filters = g.constant(g.rng.standard_normal((16, 1, 1, 16)).astype("float32"), zeros=0.9)
    return g.conv2d(g.conv2d(x, 16, filters=filters), 16, filters=filters)


@block(WRONG, rule="role-operator")
def transpose_convolution(g: GraphBuilder, x: Value) -> Value:
    return g.transpose_conv(x, 16)


@block(SPARSE, near="role-operator")
def dense_layer_that_keeps_dimensions(g: GraphBuilder, x: Value) -> Value:
    return g.fully_connected(x, 12, keep_num_dims=True, zeros=0.9)


@case(LOAD_FAILURE, rule="layout-channels")
def mean_and_one(g: GraphBuilder) -> Value:
    # The head of Keras' MobileNetV1.
    return g.reshape(pointwise(g, g.mean(trunk(g), keep_dims=True), 5), (1, 5))


@case(SPARSE, near="layout-channels")
def mean_and_one_where_the_height_is_the_number_of_channels(g: GraphBuilder) -> Value:
    x = trunk(g, (32, 32))
    return g.reshape(pointwise(g, g.mean(x, keep_dims=True), 5), (1, 5))


@case(LOAD_FAILURE, rule="layout-channels")
def mean_and_dense_layer_that_keeps_dimensions(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g), keep_dims=True)
    return g.fully_connected(x, 5, keep_num_dims=True, zeros=0.9)


@case(SPARSE, near="layout-channels")
def mean_and_dense_layer_that_flattens(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g), keep_dims=True), 5)


@case(SPARSE, near="conv-kernel")
def directly_after_the_entry(g: GraphBuilder) -> Value:
    return head(g, pointwise(g, entry(g, image(g))))
