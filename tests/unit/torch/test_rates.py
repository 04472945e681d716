"""Which learning rate is taken, by how short trainings end."""

from __future__ import annotations

import math

import pytest

from tflite_sparse.torch.training.rates import find_rate, trial_batches


@pytest.mark.parametrize(
    ("losses", "rate"),
    [
        ((0.8, 0.9, 0.99), 1e-3),
        # 7 % more than the least is near enough, and more is not.
        ((0.96, 0.95, 0.9), 1e-3),
        ((0.97, 0.96, 0.9), 3e-4),
        ((0.99, 0.97, 0.9), 1e-4),
        ((1.4, 1.0, 0.7), 1e-4),
        ((1.05, 1.0, 1.0), 1e-3),
        # So short a training may win nothing yet.
        ((1.007, 1.019, 1.004), 1e-3),
        ((math.inf, 1.2, 1.06), 1e-4),
        # Where each of them undoes what is there, a smaller one is taken.
        ((math.inf, 1.2, 1.08), 3e-5),
    ],
)
def test_the_largest_rate_is_taken_that_comes_about_as_near_as_any(losses, rate):
    given = dict(zip((1e-3, 3e-4, 1e-4), losses, strict=True))
    found = find_rate(given.__getitem__)
    assert (found.rate, found.source) == (rate, "tried")
    assert [(one.rate, one.loss or math.inf) for one in found.tried] == [*given.items()]


def test_a_loss_that_is_no_number_is_too_large():
    assert find_rate(lambda rate: math.nan if rate > 1e-4 else 0.5).rate == 1e-4


def test_short_trainings_take_a_20th_of_the_batches_or_are_left_out():
    assert [trial_batches(steps) for steps in (12, 179, 180, 1000, 2400, 10**6)] == [
        *(0, 0, 3, 16, 40, 40)
    ]
    assert find_rate(None).rate == 1e-4
