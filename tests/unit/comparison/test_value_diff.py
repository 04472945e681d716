"""How much values of two tensors differ, numbers or not."""

from __future__ import annotations

import numpy as np
import pytest

from tflite_sparse.comparison.value_diff import compare_values


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_a_difference_that_is_no_number_is_none(odd: float) -> None:
    first = np.array([1, 2, 3, 4], np.float32)
    second = np.array([1, odd, 3, 5], np.float32)
    assert compare_values(first, second, "FLOAT32") == (False, 2, None)
    assert compare_values(second, second.copy(), "FLOAT32") == (True, 0, None)
