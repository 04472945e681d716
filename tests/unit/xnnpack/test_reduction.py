"""Reductions in the sparse layout: the shapes and axes that the runtime makes, slips included."""

from __future__ import annotations

import pytest

from tflite_sparse.xnnpack.graph import Reduction
from tflite_sparse.xnnpack.stages.layout.reduction import reduce_shape

SHAPE = (1, 4, 6, 8)  # batch, height, width, channels


@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-3, -2), (0, 1, 2)])
def test_height_and_width_without_keep_dims_are_right(axes: tuple[int, ...]) -> None:
    reduced = reduce_shape(SHAPE, Reduction(axes, keep_dims=False), output_nchw=False)
    assert reduced is not None
    assert reduced.order is not None
    assert reduced.shape == ((8,) if 0 in axes else (1, 8))
    assert [axis for axis in reduced.order if SHAPE[axis] != 1] == [3]


def test_kept_dimensions_come_out_in_the_sparse_order() -> None:
    reduced = reduce_shape(SHAPE, Reduction((1, 2), keep_dims=True), output_nchw=False)
    assert reduced is not None
    assert reduced.shape == (1, 8, 1, 1)


def test_kept_dimensions_take_the_height_for_the_channels_inside_a_cluster() -> None:
    reduced = reduce_shape(SHAPE, Reduction((1, 2), keep_dims=True), output_nchw=True)
    assert reduced is not None
    assert reduced.shape == (1, 1, 1, 4)


@pytest.mark.parametrize("axes", [(1,), (2,)])
def test_one_spatial_axis_of_a_map_that_is_not_square_is_another_axis(axes: tuple[int]) -> None:
    reduced = reduce_shape(SHAPE, Reduction(axes, keep_dims=False), output_nchw=False)
    assert reduced is not None
    assert reduced.order is None


def test_one_spatial_axis_of_a_square_map_lies_behind_the_channels() -> None:
    reduced = reduce_shape((1, 4, 4, 8), Reduction((1,), keep_dims=False), output_nchw=False)
    assert reduced is not None
    assert reduced.order == (0, 3, 2)
    assert reduced.shape == (1, 8, 4)


def test_batch_and_channels_become_the_batch_twice() -> None:
    reduced = reduce_shape(SHAPE, Reduction((0, 3), keep_dims=False), output_nchw=False)
    assert reduced is not None
    assert reduced.positions == (0,)
    assert reduced.order is None


def test_all_four_axes_read_past_the_table() -> None:
    assert reduce_shape(SHAPE, Reduction((0, 1, 2, 3), keep_dims=False), output_nchw=False) is None
