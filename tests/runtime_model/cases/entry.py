"""The entry: the one convolution that brings a value into the sparse layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.runtime_model.cases.parts import entry, head, image, ones, pointwise
from tests.runtime_model.cases.registry import DENSE, SPARSE, case

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


def rest(g: GraphBuilder, x: Value) -> Value:
    """All that follows a stem: nothing of it stands in the way."""
    return head(g, pointwise(g, g.depthwise(x)))


@case(SPARSE, near="conv-entry-padding")
def pad_one_on_each_side(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g)))


@case(DENSE, rule="conv-entry-padding")
def pad_after_only(g: GraphBuilder) -> Value:
    # The way in which Keras pads for stride 2.
    return rest(g, g.conv2d(g.pad_spatial(image(g), (0, 1)), 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def pad_before_only(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g), (1, 0)), 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def pad_height_only(g: GraphBuilder) -> Value:
    x = g.pad(image(g), ((0, 0), (1, 1), (0, 0), (0, 0)))
    return rest(g, g.conv2d(x, 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def pad_two_on_each_side(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g), 2), 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def no_padding(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(image(g, (21, 21)), 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def same_on_an_even_image(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(image(g), 16, 3, 2))


@case(DENSE, rule="conv-entry-padding")
def same_on_an_odd_image_where_it_pads_one_on_each_side(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(image(g, (21, 21)), 16, 3, 2))


@case(DENSE, rule="conv-entry-padding")
def pad_before_same(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g)), 16, 3, 2))


@case(DENSE, rule="conv-entry-padding")
def pad_of_another_value(g: GraphBuilder) -> Value:
    x = g.pad(image(g), ((0, 0), (1, 1), (1, 1), (0, 0)), value=0.5)
    return rest(g, g.conv2d(x, 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def pad_of_channels_too(g: GraphBuilder) -> Value:
    x = g.pad(image(g, channels=2), ((0, 0), (1, 1), (1, 1), (0, 1)))
    return rest(g, g.conv2d(x, 16, 3, 2, "VALID"))


@case(DENSE, rule="conv-entry-padding")
def pad_that_two_operators_read(g: GraphBuilder) -> tuple[Value, ...]:
    x = g.pad_spatial(image(g))
    return rest(g, g.conv2d(x, 16, 3, 2, "VALID")), g.max_pool(x)


@case(SPARSE, near="conv-entry-padding")
def pad_of_its_own_beside_another(g: GraphBuilder) -> tuple[Value, ...]:
    x = image(g)
    return rest(g, entry(g, x)), g.max_pool(g.pad_spatial(x))


@case(DENSE, rule="conv-entry-padding")
def two_pads_of_which_one_fuses(g: GraphBuilder) -> Value:
    x = g.pad_spatial(g.pad_spatial(image(g), (1, 0)), (0, 1))
    return rest(g, g.conv2d(x, 16, 3, 2, "VALID"))


@case(SPARSE, near="conv-entry-padding")
def pad_of_an_image_that_was_padded_before(g: GraphBuilder) -> Value:
    return rest(g, entry(g, g.pad_spatial(image(g, (18, 18)))))


@case(DENSE, rule="conv-entry-channels")
def one_channel(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g, channels=1)))


@case(DENSE, rule="conv-entry-channels")
def four_channels(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g, channels=4)))


@case(DENSE, rule="conv-entry-stride")
def stride_one(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(image(g), 16, 3))


@case(DENSE, rule="conv-entry-stride")
def stride_two_in_one_direction(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g)), 16, 3, (2, 1), "VALID"))


@case(DENSE, rule="conv-entry-stride")
def stride_three(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g)), 16, 3, 3, "VALID"))


@case(DENSE, rule="conv-dilation")
def dilated(g: GraphBuilder) -> Value:
    # LiteRT takes no dilation together with a stride.
    return rest(g, g.conv2d(g.pad_spatial(image(g), 2), 16, 3, padding="VALID", dilation=2))


@case(DENSE, rule="conv-kernel")
def kernel_of_five(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g), 2), 16, 5, 2, "VALID"))


@case(DENSE, rule="conv-kernel")
def kernel_of_three_by_one(g: GraphBuilder) -> Value:
    return rest(g, g.conv2d(g.pad_spatial(image(g)), 16, (3, 1), 2, "VALID"))


@case(DENSE, rule="cluster-input")
def none_at_all(g: GraphBuilder) -> Value:
    return rest(g, image(g, channels=16))


@case(SPARSE, near="cluster-input")
def scaled_image(g: GraphBuilder) -> Value:
    x = g.mul(np.full((1, 1, 1, 3), 0.5, np.float32), image(g))
    return rest(g, entry(g, g.add(ones(1, 1, 1, 3), x)))


@case(SPARSE, near="cluster-producer")
def image_scaled_by_a_scalar(g: GraphBuilder) -> Value:
    x = g.mul(image(g), np.array(0.5, np.float32))
    return rest(g, entry(g, g.sub(x, np.array(0.25, np.float32))))


@case(SPARSE, near="cluster-producer")
def image_out_of_a_pool(g: GraphBuilder) -> Value:
    return rest(g, entry(g, g.max_pool(image(g, (40, 40)))))


@case(SPARSE, near="conv-entry-channels")
def image_out_of_a_dense_convolution(g: GraphBuilder) -> Value:
    return rest(g, entry(g, g.conv2d(image(g), 3, 5)))


@case(SPARSE, near="conv-entry-channels")
def grey_image_made_three(g: GraphBuilder) -> Value:
    x = image(g, channels=1)
    return rest(g, entry(g, g.concat([x, x, x])))


@case(SPARSE, near="conv-entry-padding")
def odd_image(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g, (21, 27))))


@case(SPARSE, near="conv-entry-padding")
def wide_image(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g, (20, 32))))


@case(SPARSE, near="conv-entry-channels")
def batch_of_two(g: GraphBuilder) -> Value:
    return rest(g, entry(g, g.input((2, 20, 20, 3))))


@case(SPARSE, rule="fuse-pad")
def activation_relu(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g), activation="RELU"))


@case(SPARSE, rule="fuse-pad")
def activation_relu6(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g), activation="RELU6"))


@case(SPARSE, rule="fuse-pad")
def half_precision_filter(g: GraphBuilder) -> Value:
    return rest(g, entry(g, image(g), storage="fp16", bias_storage="fp16"))


@case(SPARSE, near="conv-entry-channels")
def two_entries_of_one_image(g: GraphBuilder) -> Value:
    x = image(g)
    return rest(g, g.add(entry(g, x), entry(g, x)))


@case(SPARSE, near="conv-entry-channels")
def two_images(g: GraphBuilder) -> Value:
    second = g.input((1, 20, 20, 3), name="second")
    return rest(g, g.add(entry(g, image(g)), entry(g, second)))


@case(DENSE, rule="cluster-producer")
def two_entries_of_which_one_is_none(g: GraphBuilder) -> Value:
    x = image(g)
    return rest(g, g.add(entry(g, x), g.conv2d(x, 16, 3, 2)))
