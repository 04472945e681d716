"""Weights fitted to what they are multiplied with: never worse on that, better on the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflite_sparse.storage.moments.moments import Moments
from tflite_sparse.storage.values.balance import balanced
from tflite_sparse.storage.values.fit import Fit, fitted
from tflite_sparse.storage.values.quantize import channel_scales, dequantized, quantized

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


def inputs(rng: np.random.Generator, groups: int, count: int, columns: int) -> Floats:
    """Values that go together, and are positive as behind a RELU."""
    mixing = np.random.default_rng(1).normal(size=(groups, columns // 2 + 1, columns))
    drawn = rng.normal(size=(groups, count, columns // 2 + 1))
    return np.maximum(drawn @ mixing + 0.5, 0).astype(np.float32)


def sparse_weight(rng: np.random.Generator, rows: int, columns: int, zeros: float) -> Floats:
    weight = rng.normal(size=(rows, columns)) * rng.uniform(0.1, 10, (rows, 1))
    return np.where(rng.random(weight.shape) < zeros, 0, weight).astype(np.float32)


def fit(weight: Floats, moments: Moments, *, axis: int = 0, keep: bool = False) -> Fit:
    scales = channel_scales(weight, axis)
    nearest = quantized(weight, scales, axis, keep_nonzero=keep)
    return fitted(weight, nearest, scales, axis, moments, keep_nonzero=keep)


def error(weight: Floats, whole: NDArray[np.int8], scales: Floats, read: Floats) -> float:
    """Power of the differences of what a matrix computes of its only group's inputs."""
    apart = weight.astype(np.float64) - dequantized(whole, scales, 0)
    return float(np.square(read[0].astype(np.float64) @ apart.T).sum())


@settings(max_examples=30)
@given(st.integers(0, 999), st.sampled_from([0.0, 0.8]), st.integers(1, 80), st.booleans())
def test_it_is_never_worse_on_what_was_seen(seed: int, zeros: float, columns: int, keep: bool):
    rng = np.random.default_rng(seed)
    weight = sparse_weight(rng, 5, columns, zeros)
    read = inputs(rng, 1, int(rng.integers(1, 3 * columns + 1)), columns)
    scales = channel_scales(weight, 0)
    nearest = quantized(weight, scales, 0, keep_nonzero=keep)
    found = fit(weight, Moments.of(read), keep=keep)
    assert (found.whole[weight == 0] == 0).all()
    assert not keep or np.array_equal(found.whole == 0, weight == 0)
    assert found.whole.min(initial=0) >= -127
    assert (found.scales > 0).all()
    before, after = (
        error(weight, *pair, read) for pair in ((nearest, scales), (found.whole, found.scales))
    )
    assert after <= before * (1 + 1e-4) + 1e-9
    if found.snr is not None and found.nearest_snr is not None:
        assert found.snr >= found.nearest_snr


@pytest.mark.parametrize(("count", "gain"), [(400, 1.2), (50, 1.05), (8, 0.97)])
def test_it_is_better_on_inputs_that_were_not_seen(count: int, gain: float):
    """Even where there are fewer than columns, from which little can be learned."""
    rng = np.random.default_rng(3)
    weight = sparse_weight(rng, 40, 70, 0.5)
    found = fit(weight, Moments.of(inputs(rng, 1, count, 70)))
    scales = channel_scales(weight, 0)
    without = balanced(weight, quantized(weight, scales, 0), scales, 0)
    unseen = inputs(rng, 1, 2000, 70)
    before = error(weight, without, scales, unseen)
    assert before >= gain * error(weight, found.whole, found.scales, unseen)


def test_groups_are_fitted_each_by_itself():
    """A depthwise filter, two output channels for each that is read."""
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(1, 3, 3, 8)).astype(np.float32)
    moments = Moments.of(inputs(rng, 4, 200, 9))
    whole = fit(weight, moments, axis=3)
    for group in range(4):
        alone = Moments(moments.second[group : group + 1], moments.first[group : group + 1], 200)
        part = fit(weight[..., 2 * group : 2 * group + 2], alone, axis=3)
        assert np.array_equal(part.whole, whole.whole[..., 2 * group : 2 * group + 2])
        assert np.array_equal(part.scales, whole.scales[2 * group : 2 * group + 2])


def test_sums_that_rounding_left_without_an_inverse_are_fitted_too():
    rng = np.random.default_rng(5)
    columns, count = 256, 4096
    off = rng.normal(size=(columns, columns)) * 0.02
    second = (np.ones((columns, columns)) + off + off.T) * count
    assert np.linalg.eigvalsh(second)[0] < -0.1 * count
    weight = sparse_weight(rng, 6, columns, 0.5)
    found = fit(weight, Moments(second[None], np.full((1, columns), float(count)), count))
    assert (found.whole[weight == 0] == 0).all()
    apart = weight - dequantized(found.whole, found.scales, 0)
    assert np.abs(apart).max() < 0.2 * np.abs(weight).max()


@pytest.mark.parametrize("magnitude", [1e-38, 1e-20, 1e20, 3e38])
def test_scales_stay_such_as_can_be_stored(magnitude: float):
    rng = np.random.default_rng(7)
    weight = (rng.uniform(-1, 1, (4, 9)) * magnitude).astype(np.float32)
    found = fit(weight, Moments.of(inputs(rng, 1, 50, 9)))
    assert np.isfinite(found.scales * np.float32(127)).all()
    assert (found.scales >= np.finfo(np.float32).tiny).all()


def test_what_is_never_read_is_rounded_to_the_nearest():
    rng = np.random.default_rng(9)
    weight = sparse_weight(rng, 4, 6, 0.3)
    found = fit(weight, Moments.of(np.zeros((1, 5, 6), np.float32)))
    assert np.array_equal(found.whole, quantized(weight, channel_scales(weight, 0), 0))
    assert (found.snr, found.nearest_snr) == (None, None)


def test_moments_add_up():
    rng = np.random.default_rng(11)
    read = inputs(rng, 2, 30, 4)
    both = Moments.of(read[:, :10]) + Moments.of(read[:, 10:])
    for one, other in zip(
        msgspec.structs.astuple(both), msgspec.structs.astuple(Moments.of(read)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 999), st.sampled_from([1e-6, 1e-5]))
def test_sums_that_rounding_left_asymmetric_are_fitted(seed: int, rounding: float):
    columns, count, power = 25, 300_000, 31.4
    rng = np.random.default_rng(seed)
    second = power * np.ones((1, columns, columns)) + 0.001 * np.eye(columns)
    second += power * rounding * rng.uniform(-1, 1, second.shape)
    first = np.full((1, columns), count * power**0.5)
    weight = sparse_weight(rng, 5, columns, 0.0)
    made = fit(weight, Moments(count * second, first, count))
    assert made.snr is not None
    assert made.nearest_snr is not None
    assert made.snr >= made.nearest_snr
