"""Weights stored as int8 behind DEQUANTIZE, sparse ones behind DENSIFY too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.runtime_model.cases.parts import entry, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import DENSE, SPARSE, WRONG, case
from tests.runtime_model.cases.thresholds import single, weights

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value

CHAIN = "int8-values-sparse"
DENSE_CHAIN = "int8-values"


@case(SPARSE, rule="fold-dequantize")
def filter_with_a_scale_a_channel(g: GraphBuilder) -> Value:
    return head(g, trunk(g, storage=CHAIN))


@case(SPARSE, rule="fold-dequantize")
def filter_with_one_scale(g: GraphBuilder) -> Value:
    return head(g, trunk(g, storage="int8-value-sparse"))


@case(DENSE, rule="hint-none")
def filter_stored_dense(g: GraphBuilder) -> Value:
    return head(g, trunk(g, storage=DENSE_CHAIN))


@case(SPARSE, near="hint-none")
def one_filter_of_two_stored_sparse(g: GraphBuilder) -> Value:
    return head(g, pointwise(g, trunk(g, storage=CHAIN), storage=DENSE_CHAIN))


@case(SPARSE, rule="fold-dequantize")
def every_filter(g: GraphBuilder) -> Value:
    x = entry(g, image(g), storage=DENSE_CHAIN)
    x = g.depthwise(x, storage=DENSE_CHAIN)
    x = g.mean(pointwise(g, x, storage=CHAIN))
    return g.fully_connected(x, 5, storage=DENSE_CHAIN)


@case(SPARSE, rule="fold-dequantize")
def every_filter_sparse_and_with_one_scale(g: GraphBuilder) -> Value:
    storage = "int8-value-sparse"
    x = entry(g, image(g), zeros=0.2, storage=storage)
    x = g.depthwise(x, zeros=0.2, storage=storage)
    x = g.mean(pointwise(g, x, storage=storage))
    return g.fully_connected(x, 5, zeros=0.5, storage=storage)


@case(SPARSE, rule="fold-dequantize")
def filter_of_the_entry(g: GraphBuilder) -> Value:
    x = entry(g, image(g), zeros=0.2, storage=CHAIN)
    return head(g, pointwise(g, x, storage="dense"))


@case(SPARSE, rule="fold-dequantize")
def depthwise_filter(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g)), zeros=0.2, storage=CHAIN)
    return head(g, pointwise(g, x, storage="dense"))


@case(SPARSE, rule="fold-dequantize")
def classifier(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.fully_connected(x, 5, zeros=0.5, storage=CHAIN)


@case(SPARSE, rule="fold-dequantize")
def transpose_convolution_beside_the_cluster(g: GraphBuilder) -> tuple[Value, ...]:
    x = image(g)
    side = g.transpose_conv(x, 3, zeros=0.3, storage=CHAIN)
    return head(g, pointwise(g, entry(g, x), storage="dense")), side


@case(SPARSE, near="profit-zeros")
def two_thirds_and_one(g: GraphBuilder) -> Value:
    return single(g, weights(15, 161), CHAIN)


@case(DENSE, rule="profit-zeros")
def two_thirds(g: GraphBuilder) -> Value:
    return single(g, weights(15, 160), CHAIN)


@case(SPARSE, near="profit-zeros")
def values_that_round_to_zero(g: GraphBuilder) -> Value:
    filters = weights(15, 150)
    filters.reshape(-1)[np.flatnonzero(filters)[:20]] = 1e-9
    return single(g, filters, CHAIN)


# What reads them outside XNNPACK


@case(WRONG, rule="weight-lost")
def filter_read_outside(g: GraphBuilder) -> Value:
    return g.max_pool(g.conv2d(image(g), 16, 3, zeros=0.8, storage=CHAIN, activation="TANH"))


@case(DENSE, near="weight-lost")
def dense_filter_read_outside(g: GraphBuilder) -> Value:
    return g.max_pool(g.conv2d(image(g), 16, 3, storage=DENSE_CHAIN, activation="TANH"))


@case(WRONG, rule="weight-lost")
def transposed_filter_narrower_than_its_stride(g: GraphBuilder) -> Value:
    return g.transpose_conv(image(g), 8, (2, 1), 2, zeros=0.8, storage=CHAIN)


@case(DENSE, near="weight-lost")
def transposed_filter_narrower_than_its_stride_without_padding(g: GraphBuilder) -> Value:
    return g.transpose_conv(image(g), 8, (2, 1), 2, "VALID", zeros=0.8, storage=CHAIN)


@case(DENSE, rule="delegate-option")
def dense_transposed_filter_narrower_than_its_stride(g: GraphBuilder) -> Value:
    return g.transpose_conv(image(g), 8, 1, (1, 2), storage=DENSE_CHAIN)


@case(WRONG, rule="weight-lost")
def filter_with_a_half_precision_bias(g: GraphBuilder) -> Value:
    return head(g, g.conv2d(trunk(g), 16, zeros=0.8, storage=CHAIN, bias_storage="fp16"))


@case(DENSE, rule="delegate-mixed-types")
def dense_filter_with_a_half_precision_bias(g: GraphBuilder) -> Value:
    return head(g, g.conv2d(trunk(g), 16, zeros=0.8, storage=DENSE_CHAIN, bias_storage="fp16"))
