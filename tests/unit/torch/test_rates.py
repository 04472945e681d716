"""Which learning rate is taken, by how short trainings end."""

from __future__ import annotations

import math

import pytest

from tflite_sparse.torch.training.rates import find_rate, trial_batches


@pytest.mark.parametrize(("largest", "count"), [(1e-3, 1), (3e-4, 2), (1e-4, 3)])
def test_the_largest_rate_that_undoes_no_more_than_a_quarter_is_taken(largest, count):
    found = find_rate(lambda rate: 1.25 if rate <= largest else 1.26)
    assert (found.rate, found.source) == (largest, "tried")
    assert len(found.tried) == count


def test_where_three_rates_will_not_do_a_smaller_one_is_taken():
    found = find_rate(lambda rate: math.inf if rate > 3e-4 else 1.3)
    assert found.rate == 3e-5
    assert [one.loss for one in found.tried] == [None, 1.3, 1.3]


def test_a_loss_that_is_no_number_is_too_large():
    assert find_rate(lambda rate: math.nan if rate > 1e-4 else 0.5).rate == 1e-4


def test_short_trainings_take_a_20th_of_the_batches_or_are_left_out():
    assert [trial_batches(steps) for steps in (12, 179, 180, 1000, 2400, 10**6)] == [
        *(0, 0, 3, 16, 40, 40)
    ]
    assert find_rate(None).rate == 1e-4
