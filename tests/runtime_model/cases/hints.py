"""The hint: one sparse weight that XNNPACK unpacks makes its whole partition look for zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.runtime_model.cases.parts import entry, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import DENSE, SPARSE, WRONG, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def dense(g: GraphBuilder, x: Value, **more: Any) -> Value:
    """A 1x1 convolution with zeros that is stored dense."""
    return pointwise(g, x, storage="dense", **more)


def half_zero(*shape: int) -> np.ndarray:
    """Every second number is zero."""
    numbers = np.linspace(0.5, 1.5, int(np.prod(shape)), dtype=np.float32)
    numbers[::2] = 0
    return numbers.reshape(shape)


@case(DENSE, rule="hint-none")
def zeros_stored_dense(g: GraphBuilder) -> Value:
    return head(g, dense(g, trunk(g, storage="dense")))


@case(DENSE, rule="hint-none")
def zeros_in_half_precision_stored_dense(g: GraphBuilder) -> Value:
    return head(g, trunk(g, storage="fp16"))


@case(SPARSE, rule="fold-densify")
def one_filter_of_two(g: GraphBuilder) -> Value:
    return head(g, dense(g, trunk(g)))


@case(SPARSE, rule="fold-dequantize")
def half_precision_filter(g: GraphBuilder) -> Value:
    return head(g, trunk(g, storage="fp16-sparse"))


@case(SPARSE, rule="fold-densify")
def entry_filter(g: GraphBuilder) -> Value:
    x = entry(g, image(g), zeros=0.2, storage="sparse")
    return head(g, dense(g, x))


@case(SPARSE, rule="fold-dequantize")
def half_precision_entry_filter(g: GraphBuilder) -> Value:
    x = entry(g, image(g), zeros=0.2, storage="fp16-sparse", bias_storage="fp16")
    return head(g, dense(g, x))


@case(SPARSE, rule="fold-densify")
def depthwise_filter(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g)), zeros=0.2, storage="sparse")
    return head(g, dense(g, x))


@case(SPARSE, rule="fold-densify")
def bias(g: GraphBuilder) -> Value:
    stored = g.constant(half_zero(16), storage="sparse")
    return head(g, dense(g, entry(g, image(g)), bias=stored))


@case(SPARSE, rule="fold-densify")
def classifier(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.fully_connected(x, 5, zeros=0.5, storage="sparse")


@case(SPARSE, rule="fold-dequantize")
def half_precision_classifier(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.fully_connected(x, 5, zeros=0.5, storage="fp16-sparse")


@case(SPARSE, rule="fold-densify")
def addend(g: GraphBuilder) -> Value:
    stored = g.constant(half_zero(1, 1, 1, 16), storage="sparse")
    return head(g, g.add(stored, trunk(g, storage="dense")))


@case(SPARSE, rule="fold-densify")
def addend_outside_the_cluster(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.add(x, g.constant(half_zero(16), storage="sparse"))


@case(SPARSE, rule="fold-densify")
def scale_of_the_image(g: GraphBuilder) -> Value:
    x = g.mul(image(g), g.constant(half_zero(1, 1, 1, 3) + 0, storage="sparse"))
    return head(g, dense(g, entry(g, x)))


@case(WRONG, rule="layout-nchw-read")
def slopes_of_prelu(g: GraphBuilder) -> Value:
    slopes = g.constant(half_zero(1, 1, 16), storage="sparse")
    return head(g, dense(g, g.prelu(trunk(g, storage="dense"), slopes)))


@case(SPARSE, rule="fold-densify")
def convolution_in_front_of_the_entry(g: GraphBuilder) -> Value:
    x = g.conv2d(image(g), 3, 3, zeros=0.3, storage="sparse")
    return head(g, dense(g, entry(g, x)))


@case(SPARSE, rule="fold-densify")
def transpose_convolution_beside_the_cluster(g: GraphBuilder) -> tuple[Value, ...]:
    x = image(g)
    side = g.transpose_conv(x, 3, zeros=0.3, storage="sparse")
    return head(g, dense(g, entry(g, x))), side


@case(SPARSE, rule="fold-densify")
def matrix_product_beside_the_cluster(g: GraphBuilder) -> tuple[Value, ...]:
    x = image(g)
    side = g.batch_matmul(x, half_zero(1, 1, 3, 4), storage="sparse")
    return head(g, dense(g, entry(g, x))), side


@case(SPARSE, rule="fold-densify")
def cluster_without_any(g: GraphBuilder) -> tuple[Value, ...]:
    # Two clusters, one hint: both go sparse.
    first, second = image(g), g.input((1, 20, 20, 3), name="second")
    return (
        g.depth_to_space(dense(g, entry(g, first))),
        g.depth_to_space(pointwise(g, entry(g, second))),
    )


@case(DENSE, rule="hint-none")
def sparse_weight_in_another_partition(g: GraphBuilder) -> Value:
    x = dense(g, entry(g, image(g)))
    x = g.reverse(g.depth_to_space(x), [1])
    return g.conv2d(x, 8, zeros=0.5, storage="sparse")


@case(SPARSE, near="hint-none")
def sparse_weights_in_both_partitions(g: GraphBuilder) -> Value:
    x = pointwise(g, entry(g, image(g)))
    x = g.reverse(g.depth_to_space(x), [1])
    return g.conv2d(x, 8, zeros=0.5, storage="sparse")


@case(DENSE, rule="densify-kept")
def weight_read_outside(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    powers = g.constant(half_zero(1, 16), storage="sparse")
    return g.op("POW", [g.unary("EXP", x), powers], [((1, 16), "FLOAT32")])[0]


@case(DENSE, rule="delegate-version")
def filter_read_without_densify(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.fully_connected(x, 5, zeros=0.8, storage="sparse-direct")


@case(SPARSE, rule="delegate-version")
def filter_read_without_densify_behind_a_sparse_trunk(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g)), 5, zeros=0.8, storage="sparse-direct")


@case(WRONG, rule="filter-packed")
def filter_read_without_densify_of_a_late_version(g: GraphBuilder) -> Value:
    x = g.mean(trunk(g, storage="dense"))
    return g.fully_connected(x, 24, zeros=0.5, storage="sparse-direct", version=12)


# Weights that an operator outside XNNPACK reads


@case(WRONG, rule="weight-lost")
def half_precision_filter_read_outside(g: GraphBuilder) -> Value:
    x = g.conv2d(image(g), 16, 3, zeros=0.8, storage="fp16-sparse", activation="TANH")
    return g.max_pool(x)


@case(DENSE, near="weight-lost")
def half_precision_dense_filter_read_outside(g: GraphBuilder) -> Value:
    return g.max_pool(g.conv2d(image(g), 16, 3, zeros=0.8, storage="fp16", activation="TANH"))


@case(DENSE, near="weight-lost")
def full_precision_filter_read_outside(g: GraphBuilder) -> Value:
    return g.max_pool(g.conv2d(image(g), 16, 3, zeros=0.8, storage="sparse", activation="TANH"))


@case(DENSE, near="weight-lost")
def half_precision_filter_read_inside(g: GraphBuilder) -> Value:
    x = g.conv2d(image(g), 16, 3, zeros=0.8, storage="fp16-sparse", activation="RELU")
    return g.max_pool(x)


@case(WRONG, rule="weight-lost")
def half_precision_filter_read_outside_behind_a_sparse_trunk(g: GraphBuilder) -> Value:
    x = g.depth_to_space(trunk(g))
    return g.conv2d(x, 8, 3, zeros=0.8, storage="fp16-sparse", activation="TANH")


@case(WRONG, rule="weight-lost")
def half_precision_filter_read_inside_and_outside(g: GraphBuilder) -> tuple[Value, ...]:
    filters = np.where(np.arange(16 * 27) % 5, 0, 0.5).astype(np.float32).reshape(16, 3, 3, 3)
    shared = g.constant(filters, storage="fp16-sparse")
    x = image(g)
    return g.conv2d(x, 16, 3, filters=shared), g.conv2d(x, 16, 3, filters=shared, activation="TANH")


@case(DENSE, near="weight-lost")
def filter_read_inside_and_outside(g: GraphBuilder) -> tuple[Value, ...]:
    filters = np.where(np.arange(16 * 27) % 5, 0, 0.5).astype(np.float32).reshape(16, 3, 3, 3)
    shared = g.constant(filters, storage="sparse")
    x = image(g)
    return g.conv2d(x, 16, 3, filters=shared), g.conv2d(x, 16, 3, filters=shared, activation="TANH")
