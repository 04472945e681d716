"""Types, quantization and shapes that end a cluster or a partition, and what fuses beside one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.runtime_model.cases.parts import block, entry, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import ABORT, DENSE, LOAD_FAILURE, SPARSE, WRONG, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


# What XNNPACK does not take


@block(DENSE, rule="delegate-mixed-types")
def half_precision_bias_of_a_full_filter(g: GraphBuilder, x: Value) -> Value:
    return g.conv2d(x, 16, bias_storage="fp16")


@block(SPARSE, near="delegate-mixed-types")
def half_precision_filter_and_bias(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, storage="fp16-sparse", bias_storage="fp16")


@block(SPARSE, near="delegate-mixed-types")
def full_bias_of_a_half_precision_filter(g: GraphBuilder, x: Value) -> Value:
    return pointwise(g, x, storage="fp16", bias_storage="dense")


@block(DENSE, rule="delegate-rank")
def seven_dimensions(g: GraphBuilder, x: Value) -> Value:
    return g.reshape(g.unary("ABS", g.reshape(x, (1, 10, 1, 10, 1, 4, 4))), (1, 10, 10, 16))


@block(WRONG, rule="unary-rank")
def six_dimensions(g: GraphBuilder, x: Value) -> Value:
    return g.reshape(g.unary("ABS", g.reshape(x, (1, 10, 1, 10, 4, 4))), (1, 10, 10, 16))


@case(SPARSE, rule="delegate-constant")
def classifier_by_a_computed_filter(g: GraphBuilder) -> Value:
    filters = g.input((5, 16), name="filters")
    return g.fully_connected(g.mean(trunk(g)), 5, filters=filters, bias=False)


@case(SPARSE, rule="delegate-type")
def integers_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    return head(g, trunk(g)), g.unary("ABS", g.input((1, 8), "INT32", name="integers"))


@case(SPARSE, rule="delegate-quantization")
def integers_without_a_scale_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    return head(g, trunk(g)), g.reshape(g.input((1, 8), "INT8", name="integers"), (8,))


# Ranks


@block(WRONG, rule="reduce-rank")
def total_in_five_dimensions(g: GraphBuilder, x: Value) -> Value:
    return g.reshape(g.sum(g.reshape(x, (1, 100, 4, 2, 2)), axes=(4,)), (1, 10, 10, 8))


# Quantization


@case(SPARSE, rule="role-type")
def quantized_branch_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    small = g.input((1, 8, 8, 4), "INT8", name="quantized", scale=0.05)
    return head(g, trunk(g)), g.conv2d(small, 8, 3, storage="int8")


@case(SPARSE, near="filter-type")
def quantized_classifier_that_is_small(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g)), 5, storage="int8")


@case(ABORT, rule="filter-type")
def quantized_classifier_that_is_large(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g)), 65536, storage="int8")


@case(LOAD_FAILURE, rule="filter-unpacked")
def quantized_classifier_that_is_sparse(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g)), 5, storage="int8-sparse", zeros=0.8)


@case(LOAD_FAILURE, rule="filter-unpacked")
def quantized_convolution_that_is_sparse(g: GraphBuilder) -> Value:
    return head(g, g.conv2d(trunk(g), 16, storage="int8-sparse", zeros=0.8))


@case(DENSE, near="filter-unpacked")
def quantized_depthwise_that_is_sparse(g: GraphBuilder) -> Value:
    return g.depthwise(image(g, channels=8), storage="int8-sparse", zeros=0.8)


@block(WRONG, rule="role-type")
def quantized_and_back(g: GraphBuilder, x: Value) -> Value:
    return g.dequantize(g.quantize(x, 0.05))


# What vanishes


@block(SPARSE, rule="elide-clamp")
def max_pool_of_one_pixel(g: GraphBuilder, x: Value) -> Value:
    return g.max_pool(g.unary("ABS", x), kernel=1, stride=1)


@case(SPARSE, rule="merge-reshape")
def two_reshapes_at_the_end(g: GraphBuilder) -> Value:
    return g.reshape(g.reshape(g.mean(trunk(g), keep_dims=True), (1, 4, 4)), (1, 16))


@case(SPARSE, rule="drop-transpose")
def transposed_matrix_beside_it(g: GraphBuilder) -> tuple[Value, ...]:
    a, b = g.input((1, 4, 8), name="a"), g.input((1, 6, 8), name="b")
    return head(g, trunk(g)), g.batch_matmul(a, g.transpose(b, (0, 2, 1)))


@block(SPARSE, rule="drop-unused")
def value_that_nothing_reads(g: GraphBuilder, x: Value) -> Value:
    g.max_pool(x)
    return x


# Values that are counted twice


@case(LOAD_FAILURE, rule="layout-kernel")
def entry_and_twice_the_same_value(g: GraphBuilder) -> tuple[Value, ...]:
    x = pointwise(g, trunk(g), 3)
    return head(g, pointwise(g, entry(g, x))), head(g, pointwise(g, g.add(x, x)))


@case(WRONG, rule="layout-nchw-read")
def twice_the_same_value_and_a_pool(g: GraphBuilder) -> tuple[Value, ...]:
    # What is read twice is counted twice, and hides that the pool reads it outside the cluster.
    x = trunk(g)
    return head(g, pointwise(g, g.add(x, x))), g.max_pool(x)


@case(DENSE, rule="cluster-repeated")
def twice_the_same_value_and_two_pools(g: GraphBuilder) -> tuple[Value, ...]:
    x = trunk(g)
    return head(g, pointwise(g, g.add(x, x))), g.max_pool(x), g.average_pool(x)


@case(SPARSE, near="layout-nchw-read")
def product_with_itself_and_no_pool(g: GraphBuilder) -> Value:
    # A square reads its value once.
    x = trunk(g)
    return head(g, pointwise(g, g.add(g.mul(x, x), x)))


@case(SPARSE, near="layout-overflow")
def mean_not_kept_and_a_constant_subtracted(g: GraphBuilder) -> Value:
    return g.sub(g.mean(trunk(g)), np.ones(16, np.float32))


@case(DENSE, near="define-fully-connected")
def one_channel_to_one(g: GraphBuilder) -> Value:
    return g.conv2d(g.input((1, 8, 8, 1)), 1)


@case(DENSE, near="define-fully-connected")
def one_group_a_channel(g: GraphBuilder) -> Value:
    return g.conv2d(g.input((1, 8, 8, 16)), 16, groups=16)
