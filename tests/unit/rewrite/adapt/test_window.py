"""Windows read the same cells wherever they are placed, one axis at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.nets.small_nets import build_subgraph
from tflite_sparse.rewrite.adapt.window import Axis, placed_window, spatial_padding
from tflite_sparse.rewrite.adapt.window_fit import fit_kernel, mirrored_filter, window_size


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    size = draw(st.integers(3, 24))
    kernel, dilation = draw(st.integers(1, 6)), draw(st.integers(1, 2))
    stride = draw(st.integers(1, 2))
    reach = (kernel - 1) * dilation + 1
    before, after = draw(st.integers(0, reach - 1)), draw(st.integers(0, reach - 1))
    assume(size + before + after >= reach)
    return Axis(
        size, kernel, stride, dilation, before, (size + before + after - reach) // stride + 1
    )


def convolve(axis: Axis, values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What the window computes, cell by cell."""
    found = []
    for position in range(axis.outputs):
        cells = position * axis.stride - axis.before + axis.dilation * np.arange(axis.kernel)
        inside = (cells >= 0) & (cells < axis.size)
        found.append(values[cells[inside]] @ kernel[inside])
    return np.array(found)


def windowed(size: int, axis: Axis, values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What a window of a size with half of it as padding computes with the kernel placed in it."""
    half = (size - 1) // 2
    outputs = (axis.size - 1) // axis.stride + 1
    return convolve(Axis(axis.size, size, axis.stride, 1, half, outputs), values, kernel)


def drawn(axis: Axis, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(-9, 9, axis.size), rng.integers(-9, 9, axis.kernel)


@given(axes(), st.integers(0, 99))
def test_a_flipped_window_reads_the_reversed_map(axis, seed):
    values, kernel = drawn(axis, seed)
    flipped = convolve(axis.mirrored(), values[::-1], kernel[::-1])
    assert np.array_equal(flipped[::-1], convolve(axis, values, kernel))
    assert axis.mirrored().mirrored() == axis


@given(axes(), st.booleans(), st.sampled_from([3, 5]), st.integers(0, 99))
def test_a_kernel_that_fits_computes_the_same_in_its_window(axis, flip, size, seed):
    values, kernel = drawn(axis, seed)
    if flip:
        values, kernel, axis = values[::-1], kernel[::-1], axis.mirrored()
    shift = axis.offset(size)
    assume(shift is not None)
    square = np.zeros((1, axis.kernel, axis.kernel, 1), int)
    square[0, :, :, 0] = kernel[:, None]
    window = fit_kernel(square, axis, axis, size)[0, :, shift, 0]
    assert np.array_equal(windowed(size, axis, values, window), convolve(axis, values, kernel))


@given(axes(), st.sampled_from([3, 5]), st.integers(0, 99))
def test_a_kernel_that_does_not_fit_would_compute_something_else(axis, size, seed):
    assume(axis.offset(size) is None)
    values, kernel = drawn(axis, seed)
    values, kernel = np.abs(values) + 1, np.abs(kernel) + 1
    right = convolve(axis, values, kernel)
    # Wherever else the kernel could lie in the window, some position reads something else.
    for shift in range(size - axis.reach + 1):
        window = np.zeros(size, int)
        window[shift : shift + axis.reach : axis.dilation] = kernel
        other = windowed(size, axis, values, window)
        assert other.shape != right.shape or not np.array_equal(other, right)


@pytest.mark.parametrize(
    ("before", "after", "size", "fits"),
    [
        (1, 1, 8, 3),  # symmetric: as it is
        (1, 0, 8, 3),  # the last row of padding is never read
        (0, 1, 8, 5),  # SAME of an even size
        (0, 0, 9, None),  # VALID: fewer positions
        (2, 2, 8, None),  # more positions
    ],
)
def test_the_smallest_window_that_a_3x3_kernel_with_stride_2_fits_into(before, after, size, fits):
    outputs = (size + before + after - 3) // 2 + 1
    axis = Axis(size, 3, 2, 1, before, outputs)
    assert window_size(axis, axis) == fits


def test_a_filter_is_turned_along_the_chosen_axes_only():
    filt = np.arange(12).reshape(1, 3, 4, 1)
    assert np.array_equal(mirrored_filter(filt, (True, False))[0, :, :, 0], filt[0, ::-1, :, 0])
    assert np.array_equal(mirrored_filter(filt, (False, True))[0, :, :, 0], filt[0, :, ::-1, 0])
    assert mirrored_filter(filt, (False, False)) is filt


def last_operator(net) -> object:
    return build_subgraph(net).operators[-1]


def test_paddings_in_front_of_a_convolution_add_up():
    def net(g):
        x = g.pad_spatial(g.pad_spatial(g.input((1, 9, 11, 3)), (1, 0)), (0, 2))
        return g.conv2d(x, 4, 3, 2, "VALID")

    placed = placed_window(last_operator(net))
    assert (placed.rows.size, placed.columns.size) == (9, 11)
    assert (placed.rows.before, placed.rows.after) == (1, 1)
    assert placed.source.name == "input"


def test_same_padding_is_worked_out_over_the_padded_map():
    placed = placed_window(last_operator(lambda g: g.conv2d(g.input((1, 8, 9, 3)), 4, 3, 2)))
    assert (placed.rows.before, placed.rows.after) == (0, 1)
    assert (placed.columns.before, placed.columns.after) == (1, 1)


def test_only_zeros_around_height_and_width_are_spatial_padding():
    def padded(pads):
        return spatial_padding(last_operator(lambda g: g.pad(g.input((1, 8, 8, 3)), pads)))

    assert padded(((0, 0), (1, 2), (3, 4), (0, 0))) == (1, 3, 2, 4)
    assert padded(((0, 0), (1, 1), (1, 1), (0, 1))) is None
    assert padded(((0, 1), (1, 1), (1, 1), (0, 0))) is None
