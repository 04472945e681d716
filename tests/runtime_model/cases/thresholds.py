"""Thresholds, to the exact weight: two thirds of zeros, and nine tenths of a block filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.runtime_model.cases.parts import entry, head, image, pointwise, trunk
from tests.runtime_model.cases.registry import DENSE, SPARSE, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def weights(channels: int, zeros: int, inputs: int = 16) -> np.ndarray:
    """A filter with exactly so many zeros, which lie anywhere."""
    rng = np.random.default_rng(zeros)
    flat = rng.uniform(0.2, 0.4, channels * inputs).astype(np.float32)
    flat[rng.permutation(flat.size)[:zeros]] = 0
    return flat.reshape(channels, 1, 1, inputs)


def single(g: GraphBuilder, filters: np.ndarray, storage: str = "sparse") -> Value:
    """A net with one 1x1 convolution."""
    x = g.depthwise(entry(g, image(g)))
    return head(g, g.conv2d(x, filters.shape[0], filters=filters, storage=storage))


@case(DENSE, rule="profit-zeros")
def two_thirds_but_one(g: GraphBuilder) -> Value:
    return single(g, weights(15, 159))


@case(DENSE, rule="profit-zeros")
def two_thirds(g: GraphBuilder) -> Value:
    return single(g, weights(15, 160))


@case(SPARSE, near="profit-zeros")
def two_thirds_and_one(g: GraphBuilder) -> Value:
    return single(g, weights(15, 161))


@case(DENSE, rule="profit-zeros")
def no_third_divides_it(g: GraphBuilder) -> Value:
    return single(g, weights(16, 170))  # of 256


@case(SPARSE, near="profit-zeros")
def no_third_divides_it_and_one(g: GraphBuilder) -> Value:
    return single(g, weights(16, 171))


@case(SPARSE, near="profit-zeros")
def negative_zeros(g: GraphBuilder) -> Value:
    filters = weights(15, 161)
    # Stored sparse, they would be dropped: another weight sets the hint.
    filters[filters == 0] = np.float32(-0.0)
    x = g.depthwise(entry(g, image(g)), zeros=0.5, storage="sparse")
    return head(g, g.conv2d(x, 15, filters=filters))


@case(DENSE, rule="profit-zeros")
def nearly_zeros(g: GraphBuilder) -> Value:
    filters = weights(15, 159)
    filters[filters == 0] = 1e-30
    return single(g, filters)


@case(SPARSE, near="profit-zeros")
def half_precision_two_thirds_and_one(g: GraphBuilder) -> Value:
    return single(g, weights(15, 161), "fp16-sparse")


@case(DENSE, rule="profit-zeros")
def half_precision_two_thirds(g: GraphBuilder) -> Value:
    return single(g, weights(15, 160), "fp16-sparse")


@case(SPARSE, near="profit-zeros")
def half_precision_rounds_to_zero(g: GraphBuilder) -> Value:
    filters = weights(15, 150)
    filters.reshape(-1)[np.flatnonzero(filters)[:20]] = 1e-9
    return single(g, filters, "fp16-sparse")


@case(SPARSE, near="profit-zeros")
def summed_over_two_filters(g: GraphBuilder) -> Value:
    # 60 of 256, then 461 of 512: 521 of 768 in all.
    x = g.depthwise(entry(g, image(g)))
    x = g.conv2d(x, 16, filters=weights(16, 60), storage="sparse")
    return head(g, g.conv2d(x, 32, filters=weights(32, 461)))


@case(DENSE, rule="profit-zeros")
def summed_over_two_filters_exactly(g: GraphBuilder) -> Value:
    # 60 of 256, then 452 of 512: 512 of 768 in all.
    x = g.depthwise(entry(g, image(g)))
    x = g.conv2d(x, 16, filters=weights(16, 60), storage="sparse")
    return head(g, g.conv2d(x, 32, filters=weights(32, 452)))


@case(SPARSE, near="profit-zeros")
def summed_over_two_filters_exactly_and_one(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g)))
    x = g.conv2d(x, 16, filters=weights(16, 60), storage="sparse")
    return head(g, g.conv2d(x, 32, filters=weights(32, 453)))


@case(SPARSE, near="profit-zeros")
def dense_classifier_is_outside_the_cluster(g: GraphBuilder) -> Value:
    return g.fully_connected(g.mean(trunk(g)), 100)


@case(SPARSE, near="profit-zeros")
def zeros_of_the_entry_and_the_depthwise_are_not_counted(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g), zeros=0.1), zeros=0.1)
    return head(g, g.conv2d(x, 15, filters=weights(15, 161), storage="sparse"))


@case(DENSE, rule="profit-zeros")
def zeros_of_the_entry_and_the_depthwise_do_not_help(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g), zeros=0.95), zeros=0.95)
    return head(g, g.conv2d(x, 15, filters=weights(15, 160), storage="sparse"))


@case(DENSE, rule="profit-zeros")
def filter_without_any_zero_in_a_sparse_net(g: GraphBuilder) -> Value:
    return head(g, g.conv2d(trunk(g), 64))


# Kernels: the share of the values that lie in full columns of a group of output channels


def filled(*rectangles: tuple[int, int, int, int]) -> np.ndarray:
    """A filter of 16 by 16 that is one where (first output, outputs, first input, inputs) say."""
    filters = np.zeros((16, 1, 1, 16), np.float32)
    for top, height, left, width in rectangles:
        filters[top : top + height, 0, 0, left : left + width] = 0.25
    return filters


def kernel(name: str, filters: np.ndarray) -> None:
    """A case about the choice of the sparse kernel."""

    def net(g: GraphBuilder) -> Value:
        return single(g, filters)

    net.__module__ = __name__
    case(SPARSE, near="profit-zeros", name=name)(net)


kernel("kernel_of_fours", filled((0, 4, 0, 5), (8, 4, 7, 3)))
kernel("kernel_of_fours_90_percent", filled((0, 4, 0, 9), (4, 1, 0, 4)))  # 36 of 40
kernel("kernel_of_fours_less", filled((0, 4, 0, 9), (4, 1, 0, 5)))  # 36 of 41
kernel("kernel_of_fours_with_a_hole", filled((0, 4, 0, 9), (4, 3, 0, 1)))  # 36 of 39
kernel("kernel_of_pairs", filled((2, 2, 0, 8), (8, 2, 3, 8)))
kernel("kernel_of_pairs_90_percent", filled((0, 2, 0, 9), (4, 1, 0, 2)))  # 18 of 20
kernel("kernel_of_pairs_less", filled((0, 2, 0, 9), (4, 1, 0, 3)))  # 18 of 21
kernel("kernel_of_pairs_across", filled((1, 2, 0, 9)))  # outputs 1 and 2 are no pair
kernel("kernel_of_fours_across", filled((2, 4, 0, 9)))  # two pairs, no four
kernel("kernel_of_singles", filled((0, 1, 0, 16), (5, 1, 2, 7)))


@case(SPARSE, near="profit-zeros")
def kernel_of_fours_with_channels_left(g: GraphBuilder) -> Value:
    filters = np.zeros((18, 1, 1, 16), np.float32)
    filters[:, 0, 0, :3] = 0.25
    return single(g, filters)


@case(SPARSE, near="profit-zeros")
def kernel_of_one_channel_in_each_four(g: GraphBuilder) -> Value:
    filters = np.zeros((16, 1, 1, 16), np.float32)
    filters[::4, 0, 0, :12] = 0.25
    return single(g, filters)


@case(SPARSE, near="profit-zeros")
def kernel_differs_from_filter_to_filter(g: GraphBuilder) -> Value:
    x = g.depthwise(entry(g, image(g)))
    for filters in (filled((0, 4, 0, 9)), filled((0, 2, 0, 9)), filled((0, 1, 0, 9))):
        x = g.conv2d(x, 16, filters=filters, storage="sparse")
    return head(g, pointwise(g, x))
