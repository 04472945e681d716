"""Figures of two outputs: what they are on arrays where one can work them out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tflite_sparse.runtime.compare_outputs import (
    Bound,
    Tolerance,
    compare_output,
    constant,
    figures,
    paired,
)

EXACT = Tolerance()


def f32(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_equal_arrays_lie_nowhere_apart():
    assert figures(f32(1, -2, 0), f32(1, -2, 0), EXACT) == (0, 0, 1, 1, True)


def test_figures_worked_out_by_hand():
    found = figures(f32(3, 4), f32(3, 5), Tolerance(atol=0.5))
    assert found.max_abs == 1
    assert found.max_rel == 0.25
    assert found.cosine == pytest.approx((9 + 20) / (5 * 34**0.5))
    assert found.argmax == 1
    assert not found.within


@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [((0, 0), (1, 2), 0), ((1, 2), (0, 0), 0), ((np.nan, 3, 4), (np.nan, 3, 5), 29 / 5 / 34**0.5)],
)
def test_outputs_that_are_lost_are_not_alike_in_direction(one, other, cosine):
    assert figures(f32(*one), f32(*other), EXACT).cosine == pytest.approx(cosine)


def test_the_tolerance_adds_up_absolute_and_relative():
    assert figures(f32(4), f32(5), Tolerance(atol=0.2, rtol=0.2)).within
    assert not figures(f32(4), f32(5), Tolerance(atol=0.1, rtol=0.2)).within


def test_argmax_is_the_share_of_rows_whose_largest_is_in_the_same_place():
    a = np.array([[1, 2], [3, 1], [0, 5], [1, 0]], np.float32)
    b = np.array([[1, 2], [1, 3], [0, 5], [0, 1]], np.float32)
    assert figures(a, b, EXACT).argmax == 0.5


def test_nan_equals_nan_and_infinity_itself():
    special = f32(np.nan, np.inf, -np.inf)
    assert figures(special, special, EXACT) == (0, 0, 1, 1, True)


@pytest.mark.parametrize("other", [np.nan, np.inf, -np.inf])
def test_a_number_against_a_special_value_is_infinitely_far(other):
    found = figures(f32(1, 2), f32(1, other), Tolerance(1e9, 1e9))
    assert found.max_abs == np.inf
    assert not found.within


def test_infinity_is_not_within_any_tolerance_of_a_number():
    assert not figures(f32(np.inf), f32(5), Tolerance(1e9, 1e9)).within


def test_a_small_integer_type_does_not_overflow():
    found = figures(np.array([-128], np.int8), np.array([127], np.int8), EXACT)
    assert found.max_abs == 255


def test_minus_zero_equals_zero():
    assert figures(f32(0.0), f32(-0.0), EXACT).within


def test_scalars_and_empty_arrays_have_figures():
    assert figures(np.float32(2).reshape(()), np.float32(3).reshape(()), EXACT).max_abs == 1
    assert figures(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32), EXACT).within


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(max_dims=3, max_side=4),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_everything_equals_itself(values):
    found = figures(values, values.copy(), EXACT)
    assert found.within
    assert found.max_abs == found.max_rel == 0


@pytest.mark.parametrize("apart", [0.0, 1e-6])
def test_an_output_that_is_the_same_for_all_inputs_is_constant(apart):
    values = [f32(1, 2), f32(1 + apart, 2), f32(1, 2)]
    assert compare_output("y", values, values, EXACT).constant
    assert compare_output("y", [f32(0), f32(0)], [f32(0), f32(0)], EXACT).constant
    labels = [np.array([3]), np.array([3])]
    assert compare_output("y", labels, labels, EXACT).constant


@pytest.mark.parametrize(
    "values",
    [
        [f32(1, 2)],  # of one set of inputs nothing is known
        [f32(1, 2), f32(1 + 1e-4, 2), f32(1, 2)],
        [f32(0), f32(1e-30)],
        [np.array([3]), np.array([4])],
        [np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)],
        [f32(1), f32(1, 1)],
    ],
)
def test_an_output_that_differs_by_little_is_not_constant(values):
    assert not constant(values)


def test_the_worst_trial_counts():
    found = compare_output("y", [f32(1), f32(1)], [f32(1), f32(3)], EXACT)
    assert (found.max_abs, found.within) == (2, False)


def test_an_infinite_difference_is_null_in_json():
    found = compare_output("y", [f32(1)], [f32(np.nan)], EXACT)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["max_abs"] is None


def test_outputs_of_the_same_names_belong_together_whatever_their_order():
    a, b = {"x": f32(1), "y": f32(2)}, {"y": f32(2), "x": f32(1)}
    pairs, problem = paired([a], [b])
    assert problem == ""
    assert all(np.array_equal(left, right) for _, left, right in pairs)


def test_outputs_of_other_names_belong_together_by_position():
    pairs, problem = paired([{"x": f32(1), "y": f32(2)}], [{"a": f32(1), "b": f32(2)}])
    assert problem == ""
    assert [name for name, _, _ in pairs] == ["x", "y"]
    assert all(np.array_equal(left, right) for _, left, right in pairs)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"x": f32(1), "y": f32(1)}, "1 outputs against 2"),
        ({"x": f32(1, 2)}, r"float32 \(1, 1\) against float32 \(1, 2\)"),
        ({"x": np.array([[1]], np.int8)}, "against int8"),
    ],
)
def test_outputs_that_do_not_go_together_say_why(other, said):
    import re

    pairs, problem = paired([{"x": f32(1)}], [other])
    assert pairs == []
    assert re.search(said, problem)


def test_values_that_are_not_finite_are_counted_in_both_models() -> None:
    left = [np.array([1, np.nan, np.inf], np.float32), np.array([1, 2, 3], np.float32)]
    right = [np.array([1, np.nan, 2], np.float32), np.array([1, 2, -np.inf], np.float32)]
    assert compare_output("y", left, left, Tolerance()).not_finite == 4
    assert compare_output("y", left, right, Tolerance()).not_finite == 4
    assert compare_output("y", [np.arange(3)], [np.arange(3)], Tolerance()).not_finite == 0


@pytest.mark.parametrize("values", [np.arange(3), np.array([1, np.nan, 2], np.float32)])
def test_a_noise_that_is_no_number_was_not_measured(values: np.ndarray) -> None:
    found = compare_output("y", [values], [values[::-1].copy()], Tolerance(noise=2.0))
    assert not found.within
    assert found.against_noise(np.inf, Bound.WEIGHTS, Tolerance(noise=2.0)) == found
