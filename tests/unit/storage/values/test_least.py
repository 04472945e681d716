"""The least of many numbers are the first of a stable order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.storage.values.least import least


@given(
    st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0, np.inf, np.nan]), min_size=1, max_size=12),
    st.integers(0, 14),
)
def test_it_chooses_the_first_of_a_stable_order(numbers: list[float], count: int) -> None:
    array = np.array(numbers)
    first = np.argsort(array, kind="stable")[:count]
    assert np.flatnonzero(least(array, count)).tolist() == sorted(first.tolist())


@pytest.mark.parametrize("count", [0, 5])
def test_of_nothing_nothing_is_chosen(count: int) -> None:
    assert least(np.empty(0), count).shape == (0,)
