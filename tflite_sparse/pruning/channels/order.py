"""Which output channels become neighbours, so that blocks of zeros cost least.

A block of values stays or goes as one. Where channels of like worth lie in a block, little goes
that is worth much. What a block of two channels keeps above the least worth that a block stays for
says how well the two go together; channels are paired by that, best first, and pairs exchange
channels while that brings more. Blocks of four are pairs of pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray  # noqa: TC002 - fields of a named tuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Worth", "lost", "order_of"]

_PAIR = 2
_BOUNDS = 2
_CLOSE = 1e-6


class Worth(NamedTuple):
    """What the values of a filter are worth.

    Attributes:
        rows: never negative, shape (channels, columns).
        kept: the share of values that stay.
    """

    rows: NDArray[np.float32]
    kept: float


def lost(worth: Worth, block: int) -> float:
    """What goes with blocks of neighbours, as a share of all; no more where there is nothing.

    Args:
        worth: of a filter; the channels that fill no block at the end stay out of it.
        block: channels of a block.
    """
    whole = _summed(worth.rows, block)
    total = float(whole.sum())
    going = whole.size - _staying(whole.size, worth.kept)
    if not 0 < going < whole.size or total <= 0:
        return 0.0
    return float(np.partition(whole.ravel(), going)[:going].sum()) / total


def order_of(worths: Sequence[Worth], block: int) -> NDArray[np.intp]:
    """The order of channels in which blocks cost least.

    Args:
        worths: of the filters that write the channels; each counts alike.
        block: channels of a block: 2 or 4.

    Returns:
        The channel that comes to each place, shape (channels,).
    """
    channels = len(worths[0].rows)
    scaled = [Worth(w.rows / max(float(w.rows.sum()), 1e-30), w.kept) for w in worths]
    groups = np.arange(channels)[:, None]
    while groups.shape[1] < block and len(groups) >= _PAIR:
        groups = _doubled(scaled, groups)
    groups = np.sort(groups, axis=1)
    groups = groups[np.argsort(groups[:, 0], kind="stable")]
    rest = np.setdiff1d(np.arange(channels), groups)  # no whole block
    return np.concatenate([groups.ravel(), rest]).astype(np.intp)


def _doubled(worths: Sequence[Worth], groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Groups two by two; where their number is odd, one is left out."""
    parts = _parts(worths, groups)
    pairs = None
    for _ in range(_BOUNDS):
        # The least worth that stays depends on the pairs; at first they are what they are now.
        gains = _together(parts, pairs)
        pairs = _exchanged(gains, _paired(gains))
    assert pairs is not None  # noqa: S101 - there is a bound
    return groups[pairs].reshape(len(pairs), -1)


def _parts(worths: Sequence[Worth], groups: NDArray[np.intp]) -> list[Worth]:
    """What groups are worth."""
    return [Worth(w.rows[groups].sum(axis=1), w.kept) for w in worths]


def _together(parts: Sequence[Worth], pairs: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
    """What each two groups keep above the least worth that stays, shape (groups, groups)."""
    count = len(parts[0].rows)
    if pairs is None:
        pairs = np.arange(count // _PAIR * _PAIR).reshape(-1, _PAIR)
    gains = np.zeros((count, count), np.float32)
    for rows, kept in parts:
        least = _least_kept(rows[pairs].sum(axis=1), kept)
        room = np.empty_like(rows)
        for number in range(count - 1):
            others = room[number + 1 :]
            np.add(rows[number + 1 :], rows[number] - least, out=others)
            gains[number, number + 1 :] += np.maximum(others, 0, out=others).sum(axis=1)
    gains += gains.T
    np.fill_diagonal(gains, -np.inf)
    return gains


def _paired(gains: NDArray[np.float32]) -> NDArray[np.intp]:
    """Pairs those that are each other's best, and so on with the others; shape (pairs, 2)."""
    gains = gains.copy()
    numbers = np.arange(len(gains))
    pairs = np.empty((0, _PAIR), np.intp)
    while len(pairs) < len(gains) // _PAIR:
        best = gains.argmax(axis=1)
        mutual = (best[best] == numbers) & (numbers < best) & (gains[numbers, best] > -np.inf)
        found = np.stack([numbers[mutual], best[mutual]], axis=1)
        gains[found.ravel()] = -np.inf
        gains[:, found.ravel()] = -np.inf
        pairs = np.concatenate([pairs, found])
    return pairs


def _exchanged(gains: NDArray[np.float32], pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Pairs after two of them have exchanged members, again and again, while that brings more."""
    numbers = np.arange(len(pairs))
    while True:
        a, b = pairs.T
        now = gains[a, b]
        straight = gains[np.ix_(a, a)] + gains[np.ix_(b, b)]
        crossed = gains[np.ix_(a, b)] + gains[np.ix_(b, a)]
        more = np.maximum(straight, crossed) - now[:, None] - now[None, :]
        np.fill_diagonal(more, -np.inf)
        best = more.argmax(axis=1)
        enough = more[numbers, best] > _CLOSE * max(float(now.sum()), 1e-30)
        mutual = enough & (best[best] == numbers) & (numbers < best)
        if not mutual.any():
            return pairs
        one, other = numbers[mutual], best[mutual]
        along = straight[one, other] >= crossed[one, other]
        first, second = pairs[one], pairs[other]
        pairs = pairs.copy()
        pairs[one] = np.stack([first[:, 0], np.where(along, second[:, 0], second[:, 1])], axis=1)
        pairs[other] = np.stack([first[:, 1], np.where(along, second[:, 1], second[:, 0])], axis=1)


def _summed(rows: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    whole = rows[: len(rows) // block * block]
    return np.asarray(whole.reshape(-1, block, rows.shape[1]).sum(axis=1))


def _staying(count: int, kept: float) -> int:
    return round(kept * count)


def _least_kept(worth: NDArray[np.float32], kept: float) -> np.float32:
    """The least worth that a block has which stays."""
    place = min(worth.size - _staying(worth.size, kept), worth.size - 1)
    return np.float32(np.partition(worth.ravel(), place)[place])
