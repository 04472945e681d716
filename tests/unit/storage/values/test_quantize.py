"""Weights as int8 and fp16: zeros stay zeros, values stay near, the runtime's product is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tflite_sparse.storage.values.balance import balanced
from tflite_sparse.storage.values.half import fits_half, halved
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.values.quantize import channel_scales, dequantized, quantized
from tflite_sparse.storage.values.rounding import rounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weight = NDArray[np.float32]

SMALLEST_HALF = float(np.finfo(np.float16).smallest_subnormal)

magnitudes = st.floats(width=32, allow_nan=False, allow_infinity=False)
moderate = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, -0.0, 1e-30, -1e-42])


def weights(values: st.SearchStrategy[float]) -> st.SearchStrategy[Weight]:
    shapes = arrays.array_shapes(min_dims=2, max_dims=4, max_side=6)
    return arrays.arrays(np.float32, shapes, elements=values)


def axes(weight: Weight) -> range:
    return range(weight.ndim)


def per_value(scales: NDArray[np.float32], weight: Weight, axis: int) -> NDArray[np.float64]:
    sizes = [-1 if d == axis else 1 for d in range(weight.ndim)]
    return np.broadcast_to(scales.reshape(sizes), weight.shape).astype(np.float64)


@given(weights(magnitudes), st.data())
def test_zeros_are_where_they_were(weight: Weight, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    scales = channel_scales(weight, axis)
    whole = quantized(weight, scales, axis, keep_nonzero=True)
    assert np.array_equal(whole == 0, weight == 0)
    assert whole.dtype == np.int8
    assert whole.min(initial=0) >= -127


@given(weights(magnitudes), st.data())
def test_signs_are_what_they_were(weight: Weight, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    whole = quantized(weight, channel_scales(weight, axis), axis, keep_nonzero=True)
    assert np.array_equal(np.sign(whole), np.sign(weight).astype(np.int8))


@given(weights(moderate), st.data())
def test_a_value_moves_by_half_a_step_at_most(weight: Weight, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    scales = channel_scales(weight, axis)
    step = per_value(scales, weight, axis)
    rounded = dequantized(quantized(weight, scales, axis), scales, axis)
    apart = np.abs(rounded.astype(np.float64) - weight)
    assert (apart <= step / 2 * (1 + 1e-5)).all()
    kept = dequantized(quantized(weight, scales, axis, keep_nonzero=True), scales, axis)
    assert (np.abs(kept.astype(np.float64) - weight) <= step * (1 + 1e-5)).all()


@given(weights(moderate), st.data())
def test_the_largest_of_a_channel_stays(weight: Weight, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    scales = channel_scales(weight, axis)
    whole = np.moveaxis(quantized(weight, scales, axis, keep_nonzero=True), axis, 0).astype(
        np.int16
    )
    highest = np.abs(np.moveaxis(weight, axis, 0).reshape(len(scales), -1)).max(axis=1)
    largest = np.abs(whole.reshape(len(scales), -1)).max(axis=1)
    # A channel of the smallest numbers there are has a coarser step.
    normal = highest > np.finfo(np.float32).tiny * 127
    assert (largest[normal] == 127).all()
    assert (scales[highest == 0] == 1).all()


@given(weights(moderate), st.data())
def test_quantizing_what_was_quantized_changes_nothing(weight: Weight, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    scales = channel_scales(weight, axis)
    whole = quantized(weight, scales, axis, keep_nonzero=True)
    assert np.array_equal(quantized(dequantized(whole, scales, axis), scales, axis), whole)


@given(weights(moderate), st.data(), st.booleans())
def test_balanced_errors_cancel(weight: Weight, data: st.DataObject, keep: bool) -> None:
    axis = data.draw(st.sampled_from(axes(weight)))
    scales = channel_scales(weight, axis)
    nearest = quantized(weight, scales, axis, keep_nonzero=keep)
    whole = balanced(weight, nearest, scales, axis, keep_nonzero=keep)
    assert (whole[weight == 0] == 0).all()
    assert not keep or np.array_equal(whole == 0, weight == 0)
    assert np.abs(whole.astype(np.int16)).max(initial=0) <= 127
    step = per_value(scales, weight, axis)
    errors = weight / step - whole
    assert (np.abs(errors) <= 1 + 1e-4).all()
    others = tuple(d for d in range(weight.ndim) if d != axis)
    sums, before = (np.abs(e.sum(axis=others)) for e in (errors, weight / step - nearest))
    assert (sums <= before + 1e-3).all()


def test_the_value_nearest_to_the_other_side_moves() -> None:
    weight = np.array([[127.0, 3.45, 3.3, 3.4, 0.0]], np.float32)
    scales = channel_scales(weight, 0)
    nearest = quantized(weight, scales, 0)
    assert nearest.tolist() == [[127, 3, 3, 3, 0]]
    assert balanced(weight, nearest, scales, 0).tolist() == [[127, 4, 3, 3, 0]]


def test_weights_that_are_not_finite_have_no_scales() -> None:
    weight = np.ones((2, 3), np.float32)
    weight[1, 1] = np.inf
    assert np.isfinite(channel_scales(weight, 0)).tolist() == [True, False]
    weight[1, 1] = np.nan
    assert np.isfinite(channel_scales(weight, 0)).tolist() == [True, False]


@given(weights(st.floats(-65504, 65504, width=32)))
def test_fp16_keeps_zeros_and_signs(weight: Weight) -> None:
    half = halved(weight, keep_nonzero=True)
    assert fits_half(weight)
    assert np.array_equal(half == 0, weight == 0)
    assert np.array_equal(np.signbit(half), np.signbit(weight))
    apart = np.abs(half.astype(np.float64) - weight)
    assert (apart <= np.maximum(np.abs(weight.astype(np.float64)) / 2048, SMALLEST_HALF)).all()


@pytest.mark.parametrize("value", [65520.0, -1e6, np.inf, -np.inf, np.nan])
def test_fp16_does_not_hold_what_is_larger(value: float) -> None:
    weight = np.array([[1.0, value]], np.float32)
    assert not fits_half(weight)


def test_fp16_holds_what_rounds_to_its_largest() -> None:
    assert fits_half(np.array([[65519.0, -65519.0]], np.float32))


def test_values_that_would_become_zero_are_counted() -> None:
    weight = np.array([[127.0, 0.4, -0.4, 0.6, 0.0]], np.float32)
    scales = channel_scales(weight, 0)
    kept = dequantized(quantized(weight, scales, 0, keep_nonzero=True), scales, 0)
    facts = rounding(weight, kept, StoredValues.INT8, scales, scales.reshape(1, 1))
    assert (facts.raised, facts.lost, facts.scales) == (2, 0, 1)
    assert facts.largest == pytest.approx(0.6)
    gone = dequantized(quantized(weight, scales, 0), scales, 0)
    facts = rounding(weight, gone, StoredValues.INT8, scales, scales.reshape(1, 1))
    assert (facts.raised, facts.lost) == (0, 2)
    noise = 2 * 0.4**2 + 0.4**2
    assert facts.snr == pytest.approx(10 * np.log10(np.square(weight).sum() / noise), rel=1e-4)


def test_what_is_exact_has_no_ratio() -> None:
    weight = np.array([[127.0, 5.0, 0.0]], np.float32)
    scales = channel_scales(weight, 0)
    after = dequantized(quantized(weight, scales, 0, keep_nonzero=True), scales, 0)
    facts = rounding(weight, after, StoredValues.INT8, scales, scales.reshape(1, 1))
    assert facts.snr is None
    assert facts.largest == 0


def test_the_largest_numbers_stay_finite() -> None:
    weight = np.array([[np.finfo(np.float32).max, -1.0], [1e-38, 1.0]], np.float32)
    scales = channel_scales(weight, 0)
    after = dequantized(quantized(weight, scales, 0), scales, 0)
    assert np.isfinite(after).all()
    assert after[0, 0] == pytest.approx(weight[0, 0])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_channel_with_a_value_that_is_not_finite_has_no_scale(value: float) -> None:
    assert not np.isfinite(channel_scales(np.array([[value, 1.0]], np.float32), 0)).all()
