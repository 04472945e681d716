"""Clusters: branches, joins, several of them, and operators outside XNNPACK in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.runtime_model.cases.parts import (
    block,
    entry,
    excite,
    head,
    image,
    pointwise,
    residual,
    trunk,
)
from tests.runtime_model.cases.registry import DENSE, SPARSE, WRONG, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


# In a cluster


@block(SPARSE, near="cluster-consumer", name="residual")
def one_residual(g: GraphBuilder, x: Value) -> Value:
    return residual(g, x)


@block(SPARSE, near="cluster-consumer")
def two_residuals(g: GraphBuilder, x: Value) -> Value:
    return residual(g, residual(g, x))


@block(SPARSE, near="cluster-consumer")
def three_branches(g: GraphBuilder, x: Value) -> Value:
    parts = pointwise(g, x), pointwise(g, g.depthwise(x)), pointwise(g, g.depthwise(x, 5))
    return g.add(g.add(parts[0], parts[1]), parts[2])


@block(SPARSE, near="cluster-consumer")
def residual_and_excite(g: GraphBuilder, x: Value) -> Value:
    return g.add(x, excite(g, g.depthwise(x)))


@block(SPARSE, near="resize-size")
def resize(g: GraphBuilder, x: Value) -> Value:
    return g.resize_bilinear(x, 20)


@block(SPARSE, near="resize-size")
def resize_with_aligned_corners(g: GraphBuilder, x: Value) -> Value:
    return g.resize_bilinear(x, (15, 21), align_corners=True)


@block(SPARSE, near="resize-size")
def resize_with_half_pixel_centers(g: GraphBuilder, x: Value) -> Value:
    return g.resize_bilinear(x, 20, half_pixel_centers=True)


@block(SPARSE, near="resize-size")
def resize_to_a_smaller_map(g: GraphBuilder, x: Value) -> Value:
    return g.resize_bilinear(x, 5)


@block(WRONG, rule="resize-size")
def resize_of_one_pixel(g: GraphBuilder, x: Value) -> Value:
    return g.resize_bilinear(g.max_pool(x, kernel=10, stride=10), 4)


@case(SPARSE, near="cluster-consumer")
def feature_pyramid(g: GraphBuilder) -> Value:
    high = trunk(g)
    low = pointwise(g, g.depthwise(g.pad_spatial(high), 3, 2, "VALID"), 8)
    top = g.resize_bilinear(low, 10)
    return g.depth_to_space(g.add(top, pointwise(g, high, 8)))


# Not in a cluster, behind one that ends wrong


@block(WRONG, rule="role-operator")
def max_pool(g: GraphBuilder, x: Value) -> Value:
    return g.max_pool(x)


@block(WRONG, rule="role-operator")
def average_pool(g: GraphBuilder, x: Value) -> Value:
    return g.average_pool(x)


@block(SPARSE, rule="define-clamp-pool")
def average_pool_of_one_pixel(g: GraphBuilder, x: Value) -> Value:
    return g.average_pool(x, kernel=1, stride=1)


@block(WRONG, rule="role-operator")
def transposed_twice(g: GraphBuilder, x: Value) -> Value:
    return g.transpose(g.transpose(x, (0, 2, 1, 3)), (0, 2, 1, 3))


@block(WRONG, rule="role-operator")
def reshape(g: GraphBuilder, x: Value) -> Value:
    return g.reshape(x, (1, 100, 1, 16))


@block(WRONG, rule="role-operator")
def slice_of_channels(g: GraphBuilder, x: Value) -> Value:
    return g.slice(x, (0, 0, 0, 4), (1, 10, 10, 8))


@block(WRONG, rule="role-operator")
def pad_alone(g: GraphBuilder, x: Value) -> Value:
    return g.unary("RELU", g.pad_spatial(x))


@block(WRONG, rule="role-operator")
def space_to_depth(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(g.space_to_depth(x), 16, zeros=0.9)


@block(WRONG, rule="role-operator")
def split_and_half_of_it(g: GraphBuilder, x: Value) -> Value:
    return g.split(x, 2)[0]


@block(DENSE, rule="cluster-consumer")
def concatenation_of_two_values(g: GraphBuilder, x: Value) -> Value:
    return g.concat([x, g.unary("ABS", x)])


@block(WRONG, rule="role-operator")
def concatenation_of_two_ends(g: GraphBuilder, x: Value) -> Value:
    return g.concat([pointwise(g, x), pointwise(g, x)])


# Several clusters


@case(SPARSE, near="cluster-output")
def two_clusters(g: GraphBuilder) -> tuple[Value, ...]:
    second = g.input((1, 28, 28, 3), name="second")
    return (
        head(g, pointwise(g, entry(g, image(g)))),
        head(g, pointwise(g, entry(g, second))),
    )


@case(SPARSE, rule="profit-zeros")
def two_clusters_of_which_one_has_few_zeros(g: GraphBuilder) -> tuple[Value, ...]:
    second = g.input((1, 28, 28, 3), name="second")
    return (
        head(g, pointwise(g, entry(g, image(g)))),
        head(g, pointwise(g, entry(g, second), zeros=0.3)),
    )


@case(SPARSE, rule="cluster-consumer")
def two_clusters_of_which_one_is_given_up(g: GraphBuilder) -> tuple[Value, ...]:
    second = g.input((1, 28, 28, 3), name="second")
    x = pointwise(g, entry(g, second))
    return head(g, pointwise(g, entry(g, image(g)))), head(g, x), g.max_pool(x)


@case(WRONG, rule="cluster-output")
def two_clusters_of_which_one_hands_a_map_out(g: GraphBuilder) -> tuple[Value, ...]:
    second = g.input((1, 28, 28, 3), name="second")
    x = pointwise(g, entry(g, second))
    return head(g, pointwise(g, entry(g, image(g)))), head(g, x), x


@case(SPARSE, near="cluster-output")
def one_behind_the_other(g: GraphBuilder) -> Value:
    x = g.depth_to_space(pointwise(g, trunk(g), 12))
    return head(g, pointwise(g, entry(g, x)))


@case(SPARSE, near="cluster-output")
def two_entries_joined(g: GraphBuilder) -> Value:
    second = g.input((1, 20, 20, 3), name="second")
    return head(g, pointwise(g, g.add(entry(g, image(g)), entry(g, second))))


@case(DENSE, rule="cluster-input")
def map_from_outside_joined(g: GraphBuilder) -> Value:
    other = g.input((1, 10, 10, 16), name="other")
    return head(g, pointwise(g, g.add(trunk(g), other)))


@case(WRONG, rule="cluster-output")
def map_handed_out_in_the_middle(g: GraphBuilder) -> tuple[Value, ...]:
    # Who reads it is given up alone: what comes before goes sparse and has no end.
    x = trunk(g)
    return x, head(g, pointwise(g, x))


# Outside XNNPACK


@block(DENSE, rule="delegate-operator")
def reversed_in_the_middle(g: GraphBuilder, x: Value) -> Value:
    return g.reverse(x, [2])


@case(SPARSE, rule="delegate-operator")
def reversed_at_the_end(g: GraphBuilder) -> Value:
    return g.reverse(head(g, trunk(g)), [1])


@case(SPARSE, rule="delegate-operator")
def reversed_at_the_beginning(g: GraphBuilder) -> Value:
    return head(g, pointwise(g, entry(g, g.reverse(image(g), [2]))))


@case(SPARSE, rule="delegate-operator")
def reversed_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    x = image(g)
    return g.reverse(x, [2]), head(g, pointwise(g, entry(g, x)))


@case(WRONG, rule="delegate-operator")
def reversed_in_a_branch(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return g.reverse(x, [2]), head(g, pointwise(g, x))


@case(SPARSE, rule="delegate-operator")
def two_partitions_that_are_sparse(g: GraphBuilder) -> Value:
    x = g.reverse(g.depth_to_space(pointwise(g, trunk(g), 12)), [2])
    return head(g, pointwise(g, entry(g, x)))


@case(SPARSE, rule="delegate-option")
def softmax_with_a_factor(g: GraphBuilder) -> Value:
    return g.softmax(head(g, trunk(g)), beta=2.0)


@block(DENSE, rule="delegate-option")
def pool_with_gaps(g: GraphBuilder, x: Value) -> Value:
    return g.max_pool(x, kernel=2, stride=3)


@block(DENSE, rule="delegate-operands")
def concatenation_of_six(g: GraphBuilder, x: Value) -> Value:
    return g.concat([x, *(g.unary("ABS", x) for _ in range(5))])
