"""Which values become zero, and how zeros are spread over filters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflite_sparse.errors import UsageError
from tflite_sparse.model import Model
from tflite_sparse.pruning.allocate import GRID, Curve, allocated
from tflite_sparse.pruning.densities import check_clusters, kept_shares, least_zeros
from tflite_sparse.pruning.filters import Prunable, Selected
from tflite_sparse.pruning.masks import smallest
from tflite_sparse.pruning.options import Allocation, PruneOptions
from tflite_sparse.xnnpack.cost.planning import Planning


def test_of_equal_values_the_first_are_chosen():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        worth = rng.integers(0, 5, (6, 1, 1, 7)).astype(float)
        wanted = int(rng.integers(0, worth.size))
        first = np.argsort(worth, axis=None, kind="stable")[:wanted]
        chosen = np.flatnonzero(smallest(worth, wanted / worth.size))
        assert sorted(first) == chosen.tolist()


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 12),
    share=st.floats(0, 0.99),
    block=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 99),
)
def test_the_least_are_chosen_as_many_as_asked_for_in_whole_blocks(
    rows, columns, share, block, seed
):
    worth = np.random.default_rng(seed).random((rows, 1, 1, columns))
    mask = smallest(worth, share, block)
    wanted = math.ceil(share * worth.size - 1e-9)
    assert wanted <= mask.sum() < wanted + block or mask.sum() == wanted == 0
    for start in range(0, rows, block):
        part = mask[start : start + block]
        assert (part == part[:1]).all()
    if block == 1 and mask.any() and not mask.all():
        assert worth[mask].max() <= worth[~mask].min()


def selected(*shapes: tuple[int, ...], clusters: tuple[int, ...] = (), others: int = 0) -> Selected:
    """Filters of these shapes, without a model."""

    class Tensor:
        def __init__(self, shape: tuple[int, ...], number: int) -> None:
            self.shape, self.size, self.name = shape, math.prod(shape), f"filter{number}"

    class Weight:
        def __init__(self, shape: tuple[int, ...], number: int) -> None:
            self.tensor, self.readers = Tensor(shape, number), []

    class Id:
        def __init__(self, number: int) -> None:
            self.name = f"filter{number}"

    filters = tuple(
        Prunable(Weight(shape, i), Id(i), clusters[i] if clusters else 0, 1.0)  # type: ignore[arg-type]
        for i, shape in enumerate(shapes)
    )
    return Selected(filters, (), {0: others}, {0: 0}, "arm64", Planning(), Model.read)  # type: ignore[arg-type]


SHAPES = ((16, 1, 1, 8), (64, 1, 1, 64), (256, 1, 1, 128))


@pytest.mark.parametrize("allocation", [Allocation.UNIFORM, Allocation.ERK])
@pytest.mark.parametrize("zeros", [0.5, 0.8, 0.95])
def test_shares_add_up_to_what_is_asked_for(allocation, zeros):
    chosen = selected(*SHAPES)
    kept = kept_shares(chosen, zeros, allocation, PruneOptions(zeros=zeros))
    total = sum(k * p.size for k, p in zip(kept, chosen.filters, strict=True))
    assert total == pytest.approx((1 - zeros) * sum(p.size for p in chosen.filters))
    assert all(0 <= k <= 1 for k in kept)
    if allocation is Allocation.ERK:
        assert kept == sorted(kept, reverse=True)
        # One that is left dense keeps the others from running sparse.
        assert max(kept) <= 2 * (1 - zeros) + 1e-9


def test_an_override_is_kept_and_the_others_make_up_for_it():
    chosen = selected(*SHAPES)
    options = PruneOptions(zeros=0.8, overrides=(("filter0", 0.0), ("filter1", 0.9)))
    kept = kept_shares(chosen, 0.8, Allocation.UNIFORM, options)
    assert kept[:2] == [1.0, pytest.approx(0.1)]
    total = sum(k * p.size for k, p in zip(kept, chosen.filters, strict=True))
    assert total == pytest.approx(0.2 * sum(p.size for p in chosen.filters))
    options = PruneOptions(zeros=0.8, overrides=(("filter2", 0.0),))
    with pytest.raises(UsageError, match="overrides keep more"):
        kept_shares(chosen, 0.8, Allocation.UNIFORM, options)


def test_a_cluster_with_too_few_zeros_is_refused_with_the_number_that_it_takes():
    chosen = selected(*SHAPES)
    check_clusters(chosen, [1 / 3 - 0.01] * 3)
    with pytest.raises(UsageError, match=r"filter0 and 2 others would have 60.0 % zeros") as raised:
        check_clusters(chosen, [0.4] * 3)
    assert raised.value.hint == "ask for more zeros: --zeros 0.67"


def test_filters_of_a_cluster_that_are_not_pruned_ask_for_more_zeros_of_the_others():
    size = sum(math.prod(shape) for shape in SHAPES)
    assert least_zeros(selected(*SHAPES, others=size // 4), 0) == pytest.approx(5 / 6, abs=0.01)


def curve(size: int, weight: float) -> Curve:
    return Curve([weight * (1 - share) ** 2 for share in GRID], GRID, size)


@given(
    weights=st.lists(st.floats(0.01, 100), min_size=3, max_size=3),
    zeros=st.floats(0.7, 0.9),
)
def test_zeros_go_where_they_lose_least_and_no_exchange_of_values_is_better(weights, zeros):
    chosen = selected(*SHAPES)
    curves = [curve(p.size, w) for p, w in zip(chosen.filters, weights, strict=True)]
    kept = allocated(chosen, curves, 1 - zeros)
    total = sum(k * p.size for k, p in zip(kept, chosen.filters, strict=True))
    assert total == pytest.approx((1 - zeros) * sum(p.size for p in chosen.filters))

    def loss(shares):
        return sum(np.interp(s, c.shares, c.losses) for s, c in zip(shares, curves, strict=True))

    least = loss(kept)
    for one in range(3):
        for two in range(3):
            moved = list(kept)
            values = 0.01 * min(curves[one].size, curves[two].size)
            moved[one] += values / curves[one].size
            moved[two] -= values / curves[two].size
            if one != two and moved[one] <= 1 and moved[two] >= GRID[0]:
                assert loss(moved) >= least - 1e-9


def test_every_cluster_gets_the_zeros_that_it_takes():
    chosen = selected(*SHAPES, clusters=(0, 1, 1))
    curves = [curve(chosen.filters[0].size, 1e6), *(curve(p.size, 1.0) for p in chosen.filters[1:])]
    kept = allocated(chosen, curves, 0.2)
    check_clusters(chosen, kept)
    assert kept[0] == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "one thing must say"),
        ({"zeros": 0.8, "speed": 2.0}, "one thing must say"),
        ({"zeros": 1.0}, "between 0 and 1"),
        ({"speed": 0.5}, "more than 1"),
        ({"zeros": 0.8, "block": 3}, "no kernels for blocks of 3"),
    ],
)
def test_options_that_make_no_sense_are_refused(fields, words):
    with pytest.raises(UsageError, match=words):
        PruneOptions(**fields)
