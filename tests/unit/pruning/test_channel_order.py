"""Which channels become neighbours: those that lose least as a block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.pruning.channels.order import Worth, lost, order_of


def worth_of(seed: int, channels: int, columns: int, kept: float) -> Worth:
    values = np.random.default_rng(seed).standard_normal((channels, columns))
    return Worth(np.square(values).astype(np.float32), kept)


def loss_in(worth: Worth, order: np.ndarray, block: int) -> float:
    return lost(worth._replace(rows=worth.rows[order]), block)


@given(
    channels=st.integers(1, 19),
    columns=st.integers(1, 12),
    filters=st.integers(1, 3),
    kept=st.floats(0, 1),
    block=st.sampled_from([2, 4]),
    seed=st.integers(0, 99),
)
def test_every_channel_has_one_place(channels, columns, filters, kept, block, seed):
    worths = [worth_of(seed + i, channels, columns + i, kept) for i in range(filters)]
    assert sorted(order_of(worths, block)) == list(range(channels))


@pytest.mark.parametrize("block", [2, 4])
def test_channels_of_like_worth_become_a_block_wherever_they_were(block):
    rng = np.random.default_rng(0)
    groups = np.square(rng.standard_normal((8, 40))).astype(np.float32)
    places = rng.permutation(np.repeat(np.arange(8), block))
    worth = Worth(groups[places], 0.3)
    order = order_of([worth], block)
    blocks = places[order].reshape(-1, block)
    assert (blocks == blocks[:, :1]).all()
    assert loss_in(worth, order, block) == pytest.approx(lost(worth, 1), abs=1e-6)
    assert lost(worth, block) > 1.3 * lost(worth, 1)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_eight_channels_are_nearly_the_best_there_are(seed):
    def matchings(left):
        if not left:
            yield []
        for other in left[1:]:
            rest = [n for n in left[1:] if n != other]
            yield from ([left[0], other, *pairs] for pairs in matchings(rest))

    worth = worth_of(seed, 8, 20, 0.3)
    losses = [loss_in(worth, np.array(order), 2) for order in matchings(list(range(8)))]
    assert len(losses) == 7 * 5 * 3
    found = loss_in(worth, order_of([worth], 2), 2)
    # Of all pairings hardly any is better.
    assert np.mean(np.array(losses) < found - 1e-6) <= 0.05


def test_filters_that_write_the_same_channels_have_one_order_that_suits_both():
    worths = [worth_of(seed, 32, 24, 0.3) for seed in (1, 2)]
    together = order_of(worths, 2)
    for one, other in ((0, 1), (1, 0)):
        alone = order_of([worths[one]], 2)
        assert loss_in(worths[one], alone, 2) < loss_in(worths[one], together, 2)
        assert loss_in(worths[other], together, 2) < loss_in(worths[other], alone, 2)
    # Each counts alike, whatever its values are multiplied with.
    louder = worths[1]._replace(rows=1000 * worths[1].rows)
    np.testing.assert_array_equal(order_of([worths[0], louder], 2), together)


def test_nothing_is_lost_where_all_stays_or_nothing_is_worth_anything():
    assert lost(worth_of(0, 8, 4, 1.0), 2) == 0
    assert lost(Worth(np.zeros((8, 4), np.float32), 0.3), 2) == 0
    assert lost(worth_of(0, 1, 4, 0.3), 2) == 0
