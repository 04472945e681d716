"""Ends: what reads the last value of a cluster decides whether the numbers are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.runtime_model.cases.parts import excite, head, ones, pointwise, trunk
from tests.runtime_model.cases.registry import (
    ABORT,
    DENSE,
    LOAD_FAILURE,
    SHAPE,
    SPARSE,
    WRONG,
    case,
)

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def kept(g: GraphBuilder, size: tuple[int, int] = (20, 20)) -> Value:
    """A trunk and its mean, as a map of one pixel."""
    return g.mean(trunk(g, size), keep_dims=True)


# No end


@case(DENSE, rule="cluster-no-exit")
def a_map(g: GraphBuilder) -> Value:
    return trunk(g)


@case(DENSE, rule="cluster-no-exit")
def softmax_over_a_map(g: GraphBuilder) -> Value:
    return g.softmax(trunk(g))


@case(DENSE, rule="cluster-no-exit")
def average_pool(g: GraphBuilder) -> Value:
    return g.fully_connected(g.average_pool(trunk(g), kernel=10, stride=1), 5)


@case(DENSE, rule="cluster-no-exit")
def resize(g: GraphBuilder) -> Value:
    return g.resize_bilinear(trunk(g), 20)


@case(DENSE, rule="cluster-no-exit")
def maximum_over_the_map(g: GraphBuilder) -> Value:
    return g.reduce(trunk(g), "REDUCE_MAX")


# MEAN and SUM over height and width


@case(SPARSE, near="layout-axes")
def mean(g: GraphBuilder) -> Value:
    return g.mean(trunk(g))


@case(SPARSE, near="layout-axes")
def mean_by_negative_axes(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(-2, -3))


@case(SPARSE, near="layout-axes")
def mean_of_a_map_that_is_not_square(g: GraphBuilder) -> Value:
    return head(g, trunk(g, (20, 28)))


@case(SPARSE, near="layout-axes")
def total(g: GraphBuilder) -> Value:
    return g.sum(trunk(g))


@case(SPARSE, rule="rewrite-reduce-squared")
def mean_of_squares(g: GraphBuilder) -> Value:
    return g.mean(g.unary("SQUARE", trunk(g)))


@case(SPARSE, rule="rewrite-reduce-squared")
def total_of_squares(g: GraphBuilder) -> Value:
    return g.sum(g.unary("SQUARE", trunk(g)))


@case(SPARSE, near="layout-axes")
def two_means_of_one_map(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return g.mean(x), g.sum(x)


# MEAN that keeps its dimensions


@case(SHAPE, rule="layout-output-shape")
def mean_kept_as_output(g: GraphBuilder) -> Value:
    return kept(g)


@case(WRONG, rule="layout-output")
def mean_kept_as_output_and_read_outside(g: GraphBuilder) -> tuple[Value, ...]:
    x = kept(g)
    return x, g.reverse(x, [3])


@case(SPARSE, near="layout-output-shape")
def mean_kept_and_reshaped(g: GraphBuilder) -> Value:
    return g.reshape(kept(g), (1, 16))


@case(LOAD_FAILURE, rule="layout-shape")
def mean_kept_and_squeezed(g: GraphBuilder) -> Value:
    return g.fully_connected(g.squeeze(kept(g), [1, 2]), 5)


@case(WRONG, rule="layout-shape")
def mean_kept_and_softmax(g: GraphBuilder) -> Value:
    return g.softmax(kept(g))


@case(WRONG, rule="layout-output")
def mean_kept_and_logistic(g: GraphBuilder) -> Value:
    return g.logistic(kept(g))


@case(LOAD_FAILURE, rule="layout-elements")
def mean_kept_and_logistic_and_reshaped(g: GraphBuilder) -> Value:
    return g.reshape(g.logistic(kept(g)), (1, 16))


@case(WRONG, rule="layout-shape")
def mean_kept_and_concatenated(g: GraphBuilder) -> Value:
    x = kept(g)
    return g.concat([x, x])


@case(LOAD_FAILURE, rule="layout-broadcast")
def mean_kept_and_a_constant_added(g: GraphBuilder) -> Value:
    return g.add(kept(g), ones(1, 1, 1, 16))


@case(SPARSE, near="layout-broadcast")
def mean_kept_and_a_constant_added_where_sizes_match(g: GraphBuilder) -> Value:
    # The runtime takes the height for the channels: here both are 16.
    return g.add(kept(g, (32, 32)), ones(1, 1, 1, 16))


@case(ABORT, rule="layout-overflow")
def mean_kept_and_a_constant_subtracted(g: GraphBuilder) -> Value:
    return g.sub(kept(g), ones(1, 1, 1, 16))


@case(LOAD_FAILURE, rule="layout-broadcast")
def product_with_the_mean(g: GraphBuilder) -> Value:
    x = trunk(g)
    return head(g, pointwise(g, g.mul(x, g.mean(x, keep_dims=True))))


# MEAN over other axes


@case(WRONG, rule="layout-nchw-read")
def mean_over_the_height(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(1,))


@case(WRONG, rule="layout-nchw-read")
def mean_over_the_width(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(2,))


@case(WRONG, rule="layout-axes")
def mean_over_the_width_of_a_high_map(g: GraphBuilder) -> Value:
    return g.mean(trunk(g, (20, 16)), axes=(2,))


@case(ABORT, rule="layout-overflow")
def mean_over_the_width_of_a_wide_map(g: GraphBuilder) -> Value:
    return g.mean(trunk(g, (20, 60)), axes=(2,))


@case(ABORT, rule="layout-overflow")
def mean_over_the_height_of_a_high_map(g: GraphBuilder) -> Value:
    return g.mean(trunk(g, (60, 20)), axes=(1,))


@case(SPARSE, near="layout-axes")
def mean_over_channels(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(3,))


@case(SPARSE, near="layout-axes")
def mean_over_all_but_the_batch(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(1, 2, 3))


@case(WRONG, rule="layout-nchw-read")
def mean_over_the_batch(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(0,))


@case(ABORT, rule="layout-all-axes")
def mean_over_everything(g: GraphBuilder) -> Value:
    return g.mean(trunk(g), axes=(0, 1, 2, 3))


# DEPTH_TO_SPACE


@case(SPARSE, near="cluster-no-exit")
def depth_to_space(g: GraphBuilder) -> Value:
    return g.depth_to_space(trunk(g))


@case(SPARSE, near="layout-nchw-read")
def depth_to_space_and_pool(g: GraphBuilder) -> Value:
    return g.max_pool(g.depth_to_space(trunk(g)))


@case(SPARSE, near="layout-nchw-read")
def depth_to_space_and_convolution(g: GraphBuilder) -> Value:
    return g.conv2d(g.depth_to_space(trunk(g)), 3, 3)


@case(DENSE, rule="cluster-no-exit")
def space_to_depth(g: GraphBuilder) -> Value:
    return g.space_to_depth(trunk(g))


# Two ends


@case(DENSE, rule="cluster-output")
def mean_and_the_map_itself(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return head(g, x), x


@case(WRONG, rule="layout-nchw-read")
def mean_and_a_map(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return head(g, x), pointwise(g, x, 4)


@case(SPARSE, near="layout-nchw-read")
def mean_and_depth_to_space(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return head(g, x), g.depth_to_space(pointwise(g, x, 4))


@case(DENSE, rule="cluster-consumer")
def mean_and_a_pool(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return head(g, x), g.max_pool(x)


# Squeeze and excite


@case(SPARSE, near="layout-nchw-read")
def excite_and_mean(g: GraphBuilder) -> Value:
    return head(g, pointwise(g, excite(g, trunk(g))))


@case(WRONG, rule="layout-nchw-read")
def excite_and_a_map(g: GraphBuilder) -> Value:
    return pointwise(g, excite(g, trunk(g)))


@case(WRONG, rule="layout-nchw-read")
def excite_and_softmax(g: GraphBuilder) -> Value:
    return g.softmax(pointwise(g, excite(g, trunk(g))))


@case(WRONG, rule="layout-nchw-read")
def excite_and_resize(g: GraphBuilder) -> Value:
    return g.resize_bilinear(pointwise(g, excite(g, trunk(g))), 20)


@case(SPARSE, near="layout-nchw-read")
def excite_and_depth_to_space(g: GraphBuilder) -> Value:
    return g.depth_to_space(pointwise(g, excite(g, trunk(g))))


@case(DENSE, rule="cluster-producer")
def excite_by_dense_layers(g: GraphBuilder) -> Value:
    x = trunk(g)
    gate = g.fully_connected(g.fully_connected(g.mean(x), 8), 16)
    gated = g.mul(x, g.reshape(g.logistic(gate), (1, 1, 1, 16)))
    return head(g, pointwise(g, gated))
