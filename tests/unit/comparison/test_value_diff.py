"""How much values of two tensors differ, numbers or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.nets.small_nets import build
from tflite_sparse.comparison.model_diff import diff
from tflite_sparse.comparison.value_diff import compare_values
from tflite_sparse.model import Model

if TYPE_CHECKING:
    from tests.support.nets.builder import GraphBuilder, Value


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_a_difference_that_is_no_number_is_none(odd: float) -> None:
    first = np.array([1, 2, 3, 4], np.float32)
    second = np.array([1, odd, 3, 5], np.float32)
    assert compare_values(first, second, "FLOAT32") == (False, 2, None)
    assert compare_values(second, second.copy(), "FLOAT32") == (True, 0, None)


def _net(zeros: float, channels: int = 32) -> Model:
    def layers(g: GraphBuilder) -> Value:
        return g.conv2d(g.conv2d(g.input((1, 8, 8, 32)), channels, zeros=zeros), 8)

    return Model.read(build(layers))


def test_values_that_became_zero_are_counted_and_not_the_other_way_round() -> None:
    dense, pruned = _net(0.0), _net(0.5)
    assert diff(dense, pruned).zeroed == 512
    assert diff(pruned, dense).zeroed == 0
    assert diff(dense, _net(0.5, channels=16)).zeroed == 0
    # As many as rounding may make zero.
    assert diff(dense, _net(0.009)).zeroed == 0
