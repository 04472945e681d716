"""The values of a filter with zeros: fitted to what the dense one computes."""

from __future__ import annotations

import numpy as np
import pytest

from tflite_sparse.pruning.calibrated.solve import Sums, solve
from tflite_sparse.pruning.masks import smallest


def case(seed: int = 0, rows: int = 12, columns: int = 24, positions: int = 4000):
    """What is read, with columns that are much alike, and a filter."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(positions, columns // 3)) @ rng.normal(size=(columns // 3, columns))
    read = (mixed + 0.3 * rng.normal(size=mixed.shape) + 1).astype(np.float32)
    return read, rng.normal(size=(rows, columns)).astype(np.float32)


def power(apart):
    return float(np.square(apart - apart.mean(axis=0)).sum())


@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_fitted_values_are_nearer_than_the_largest_and_than_those_refitted(seed, block):
    read, rows = case(seed)
    wanted = read @ rows.T
    found = solve(rows, Sums.of(read, wanted), 0.3, block, stretched=False)
    zeros = found.rows == 0
    assert zeros.mean() == pytest.approx(0.7, abs=block / zeros.size)
    mask = smallest(np.square(rows), 0.7, block)
    centred = read - read.mean(axis=0)
    refitted = np.zeros(rows.shape)
    for row, gone in enumerate(mask):
        if not gone.all():
            refitted[row, ~gone] = np.linalg.lstsq(centred[:, ~gone], centred @ rows[row])[0]
    errors = [
        power(read @ values.T - wanted)
        for values in (found.rows, refitted, np.where(mask, 0, rows))
    ]
    assert errors[0] < 1.02 * errors[1]
    assert errors[1] < errors[2]
    assert found.error == pytest.approx(errors[0] / power(wanted), rel=0.02)


def test_means_and_variances_are_what_they_were():
    read, rows = case()
    wanted = read @ rows.T
    found = solve(rows, Sums.of(read, wanted), 0.4)
    computed = read @ found.rows.T + found.shift
    np.testing.assert_allclose(computed.mean(axis=0), wanted.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(computed.var(axis=0), wanted.var(axis=0), rtol=0.02)


def test_nothing_changes_where_everything_is_kept():
    read, rows = case()
    found = solve(rows, Sums.of(read, read @ rows.T), 1.0)
    np.testing.assert_allclose(found.rows, rows, atol=0.05)
    assert found.error < 1e-3


def test_columns_that_are_never_read_do_no_harm():
    read, rows = case()
    read[:, ::2] = 0
    found = solve(rows, Sums.of(read, read @ rows.T), 0.3)
    assert np.isfinite(found.rows).all()
    constant = np.zeros_like(read)
    for value in (0.0, 0.3, 100.0):
        constant[:] = value
        values = solve(rows, Sums.of(constant, constant @ rows.T), 0.3).rows
        assert np.abs(values).max() < 3 * np.abs(rows).max()


def test_columns_that_zeros_before_them_made_faint_get_no_huge_values():
    """As of a channel that a RELU makes zero for nearly all inputs, but not for the next one."""
    read, rows = case()
    faint = read.copy()
    faint[:, ::6] *= 1e-3
    found = solve(rows, Sums.of(faint, read @ rows.T), 0.5)
    assert np.abs(found.rows).max() < 10 * np.abs(rows).max()


def test_sums_of_parts_are_those_of_the_whole():
    read, rows = case()
    wanted = read @ rows.T
    whole = Sums.of(read, wanted)
    parts = Sums.of(read[:1000], wanted[:1000]).plus(Sums.of(read[1000:], wanted[1000:]))
    assert whole.count == parts.count
    for one, two in zip(whole.moments(), parts.moments(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)


def test_without_a_bias_the_error_counts_what_the_means_are_off_too():
    read, rows = case()
    wanted = read @ rows.T
    found = solve(rows, Sums.of(read, wanted), 0.3, centred=False, stretched=False)
    apart = np.square(read @ found.rows.T - wanted).sum()
    assert found.error == pytest.approx(apart / power(wanted), rel=0.02)


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("centred", [True, False])
def test_wide_filters_get_the_values_that_narrow_ones_would(monkeypatch, block, centred):
    read, rows = case(columns=96)
    wanted = read @ rows.T
    found = []
    for wide in (1, 97):
        monkeypatch.setattr("tflite_sparse.pruning.calibrated.solve._WIDE", wide)
        sums = Sums.of(read[:2000], wanted[:2000]).plus(Sums.of(read[2000:], wanted[2000:]))
        assert sums.products.dtype == (np.float32 if wide == 1 else np.float64)
        found.append(solve(rows, sums, 0.3, block, centred=centred))
    together, exact = found
    assert ((together.rows == 0) == (exact.rows == 0)).mean() > 0.99
    assert together.error == pytest.approx(exact.error, rel=0.01)


def test_a_row_that_keeps_nothing_is_zero_in_a_wide_filter_too(monkeypatch):
    monkeypatch.setattr("tflite_sparse.pruning.calibrated.solve._WIDE", 1)
    read, rows = case()
    rows[0] = 0
    found = solve(rows, Sums.of(read, read @ rows.T), 0.1)
    assert np.isfinite(found.rows).all()
    assert not found.rows[0].any()


def test_wide_filters_over_maps_that_vary_by_their_borders_alone_are_fitted_as_narrow_ones(
    monkeypatch,
):
    rng = np.random.default_rng(0)
    inside = (rng.random((40, 9, 1)) < 0.8) * rng.uniform(0, 1, 32)
    read = (inside + 0.01 * rng.normal(size=inside.shape)).reshape(40, -1).astype(np.float32)
    rows = rng.normal(size=(8, read.shape[1])).astype(np.float32)
    errors = []
    for wide in (1, 9999):
        monkeypatch.setattr("tflite_sparse.pruning.calibrated.solve._WIDE", wide)
        errors.append(solve(rows, Sums.of(read, read @ rows.T), 0.1).error)
    assert errors[0] == pytest.approx(errors[1], rel=0.1)
