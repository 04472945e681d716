"""How near outputs come: what is not finite widens no range and hides no difference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tflite_sparse.runtime.fidelity import Fidelity, output_fidelity


def f32(*values: float) -> list[np.ndarray]:
    return [np.array([values], np.float32)]


def test_figures_worked_out_by_hand() -> None:
    found = output_fidelity("y", f32(-1, 0, 3), f32(-1, 0, 2))
    assert (found.range, found.max_abs, found.share) == (4, 1, 0.25)
    assert found.snr == pytest.approx(10)
    assert output_fidelity("y", f32(1, 2), f32(1, 2)).snr is None


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_widen_no_range(special: float) -> None:
    found = output_fidelity("y", f32(-1, special, 3), f32(-1, special, 2))
    assert (found.range, found.share) == (4, 0.25)
    assert found.snr == pytest.approx(10)
    assert not Fidelity(1, 0.2, (found,)).within


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_a_value_that_is_not_finite_in_one_model_alone_is_infinitely_far(special: float) -> None:
    found = output_fidelity("y", f32(1, 2), f32(1, special))
    assert (found.share, found.snr) == (math.inf, -math.inf)


def test_anything_beside_zeros_alone_is_infinitely_far() -> None:
    found = output_fidelity("y", f32(0, 0), f32(0, 1))
    assert (found.share, found.snr) == (math.inf, -math.inf)


@pytest.mark.parametrize(
    ("shape", "agreement"), [((1, 3), 0.5), ((2, 3), 0.5), ((1, 1, 1, 3), 0.5), ((1, 2, 3), None)]
)
def test_classes_are_one_row_for_each_input(
    shape: tuple[int, ...], agreement: float | None
) -> None:
    rows = np.zeros(shape, np.float32).reshape(-1, 3)
    rows[:, 0] = 1
    other = rows.copy()
    if len(rows) > 1:
        other[0] = (0, 1, 0)
        pairs = [(rows, other)]
    else:
        pairs = [(rows, rows), (rows, rows[:, ::-1])]
    left, right = ([pair[side].reshape(shape) for pair in pairs] for side in (0, 1))
    found = output_fidelity("y", left, right)
    assert Fidelity(1, 1.0, (found,)).agreement == agreement


def test_one_number_has_no_class() -> None:
    assert Fidelity(1, 1.0, (output_fidelity("y", f32(1), f32(2)),)).agreement is None
