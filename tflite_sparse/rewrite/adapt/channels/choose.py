"""Which order of channels is fastest, by the prices of the kernels that it makes run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.model import Operator
from tflite_sparse.model.macs import macs
from tflite_sparse.model.zero_counts import BLOCK_CHANNELS, count
from tflite_sparse.rewrite.adapt.channels.orders import apart, in_pairs
from tflite_sparse.rewrite.adapt.convolution import is_pointwise
from tflite_sparse.xnnpack.cost.prices import Costs, multiplication
from tflite_sparse.xnnpack.releases.targets import Target
from tflite_sparse.xnnpack.stages.filter_zeros import block_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tflite_sparse.rewrite.adapt.channels.classes import ChannelClass

__all__ = ["Choice", "Runs", "choose"]

_CLOSE = 1.01


class Runs(msgspec.Struct, frozen=True):
    """How a model runs on a target.

    Attributes:
        target: the target.
        cost: what a run costs, by the prices.
        costs: the prices.
        kernels: the operators that run sparse, with the channels that each computes at once.
    """

    target: Target
    cost: float
    costs: Costs
    kernels: Mapping[Operator, int]


class Choice(msgspec.Struct, frozen=True):
    """An order that is faster than the one there is.

    Attributes:
        order: the channel that comes to each place.
        filters: the convolutions that get other kernels.
        kernel: output channels that most of their multiplications were computed in before.
        saved: what it saves of the cost of a run, by the name of the target; less than 0 where it
            makes a run cost more.
    """

    order: NDArray[np.intp]
    filters: tuple[Operator, ...]
    kernel: int
    saved: dict[str, float]


class _Filter(msgspec.Struct, frozen=True, eq=False):
    """A filter that writes the channels of a class, in a sparse kernel on some target."""

    operator: Operator
    mask: NDArray[np.bool_]
    multiplications: float

    def kernel(self, order: NDArray[np.intp] | None, blocks: tuple[int, ...]) -> int:
        mask = self.mask if order is None else self.mask[order]
        return block_size(count(mask, "BOOL"), blocks)


def choose(channels: ChannelClass, runs: Sequence[Runs]) -> Choice | None:
    """The fastest order of a class of channels, None where that is the one there is.

    Where targets disagree, what is won and lost counts as a share of each one's time.

    Args:
        channels: the class.
        runs: how the model runs on each target that it is made for.
    """
    filters = list(_filters(channels, runs))
    now = {f.operator: _kernels(f, runs) for f in filters}
    kernels = (1, *BLOCK_CHANNELS)
    best = _cost(filters, runs, now)
    least = _least(filters, runs, kernels) * _CLOSE
    if not filters or best <= least:
        return None
    order = None
    for candidate in _candidates(channels.channels, filters, runs):
        then = {f.operator: _kernels(f, runs, candidate) for f in filters}
        cost = _cost(filters, runs, then)
        if cost < best:
            best, order = cost, candidate
        if best <= least:
            break
    if order is None:
        return None
    then = {f.operator: _kernels(f, runs, order) for f in filters}
    changed = [f for f in filters if then[f.operator] != now[f.operator]]
    largest = max(changed, key=lambda f: f.multiplications)
    saved = {
        run.target.name: _cost_on(filters, run, now) - _cost_on(filters, run, then) for run in runs
    }
    kernel = max(now[largest.operator].values())
    return Choice(order, tuple(f.operator for f in changed), kernel, saved)


def _filters(channels: ChannelClass, runs: Sequence[Runs]) -> Iterator[_Filter]:
    for follower in channels.followers:
        if follower.axis:
            continue
        values = np.asarray(follower.tensors[0].data)
        mask = values.reshape(len(values), -1) != 0
        for operator in dict.fromkeys(use.operator for use in follower.uses if use.operand == 1):
            if is_pointwise(operator) and any(operator in run.kernels for run in runs):
                share = np.count_nonzero(mask) / max(mask.size, 1)
                yield _Filter(operator, mask, macs(operator) * share)


def _kernels(
    filt: _Filter, runs: Sequence[Runs], order: NDArray[np.intp] | None = None
) -> dict[tuple[int, ...], int]:
    """The kernels that a filter runs in, by the blocks for which a target has kernels."""
    return {blocks: filt.kernel(order, blocks) for blocks in {run.target.blocks for run in runs}}


def _cost_on(
    filters: Sequence[_Filter],
    run: Runs,
    kernels: Mapping[Operator, Mapping[tuple[int, ...], int]],
) -> float:
    return sum(
        f.multiplications * multiplication(run.costs, kernels[f.operator][run.target.blocks])
        for f in filters
        if f.operator in run.kernels
    )


def _cost(
    filters: Sequence[_Filter],
    runs: Sequence[Runs],
    kernels: Mapping[Operator, Mapping[tuple[int, ...], int]],
) -> float:
    return sum(_cost_on(filters, run, kernels) / run.cost for run in runs)


def _least(filters: Sequence[_Filter], runs: Sequence[Runs], kernels: Sequence[int]) -> float:
    """The cost if every filter ran in the kernel that is best for it."""
    return sum(min(_alone(f, runs, kernel) for kernel in kernels) for f in filters)


def _alone(filt: _Filter, runs: Sequence[Runs], kernel: int) -> float:
    """The cost of a filter in one kernel, wherever a target has it."""
    kernels = {run.target.blocks: kernel if kernel in run.target.blocks else 1 for run in runs}
    return _cost([filt], runs, {filt.operator: kernels})


def _candidates(
    channels: int, filters: Sequence[_Filter], runs: Sequence[Runs]
) -> Iterator[NDArray[np.intp]]:
    singles = sum(_alone(f, runs, 1) for f in filters)
    pairs = sum(_alone(f, runs, 2) for f in filters)
    if pairs < singles:
        yield from in_pairs([f.mask for f in filters])
    yield from apart(channels)
