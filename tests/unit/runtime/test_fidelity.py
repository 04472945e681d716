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
