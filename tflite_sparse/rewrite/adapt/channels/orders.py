"""Orders of output channels that make a sparse kernel for one channel run, or one for two.

The runtime takes the kernel for blocks where the zeros of neighbouring channels lie in the same
places. Neighbours that were far apart seldom have that; channels with zeros in the same places can
be brought together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["apart", "in_pairs"]

_PAIR = 2
_STEPS = (4, 7, 16, 33)
_MOST_LEFT = 1024
_SAMPLE = 32
_LEAST_ALIKE = 0.8


def apart(channels: int) -> Iterator[NDArray[np.intp]]:
    """Orders in which no channel has its former neighbours beside it, and one without a system.

    Args:
        channels: how many channels there are.
    """
    for step in _STEPS:
        if step * 2 <= channels:
            yield _stepped(np.arange(channels), step)
    yield np.random.default_rng(channels).permutation(channels)


def in_pairs(masks: Sequence[NDArray[np.bool_]]) -> Iterator[NDArray[np.intp]]:
    """Orders in which channels with zeros in the same places come in pairs, but not in fours.

    Args:
        masks: where the filters that write the channels are not zero, each of shape
            (channels, inputs).

    Yields:
        Nothing where few channels have another one like them.
    """
    rows = np.concatenate(masks, axis=1)
    pairs = list(_pairs_of_equals(rows))
    paired = {channel for pair in pairs for channel in pair}
    left = np.array([n for n in range(len(rows)) if n not in paired], np.intp)
    if len(left) * _PAIR > len(rows) and not _has_likenesses(rows, left):
        return
    if _PAIR <= len(left) <= _MOST_LEFT:
        pairs += _pairs_of_likes(rows, left)
    paired = {channel for pair in pairs for channel in pair}
    rest = [n for n in range(len(rows)) if n not in paired]
    # What is alone comes last, so that pairs begin at even places.
    for step in _STEPS:
        order = _stepped(np.arange(len(pairs)), step)
        yield np.array([n for index in order for n in pairs[index]] + rest, np.intp)


def _stepped(numbers: NDArray[np.intp], step: int) -> NDArray[np.intp]:
    """Every so-manieth, then every so-manieth from the next on, and so on."""
    return np.concatenate([numbers[start::step] for start in range(step)])


def _pairs_of_equals(rows: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Channels with zeros in exactly the same places, two by two."""
    alike: dict[bytes, list[int]] = {}
    for number, row in enumerate(np.packbits(rows, axis=1)):
        alike.setdefault(row.tobytes(), []).append(number)
    for group in alike.values():
        yield from zip(group[::_PAIR], group[1::_PAIR], strict=False)


def _has_likenesses(rows: NDArray[np.bool_], left: NDArray[np.intp]) -> bool:
    """Whether most of some channels have another one that is much alike."""
    some = left[:: max(1, len(left) // _SAMPLE)]
    likeness = _likeness(rows[some], rows[left])
    likeness[some[:, None] == left[None, :]] = 0
    return bool(np.median(likeness.max(axis=1, initial=0)) >= _LEAST_ALIKE)


def _pairs_of_likes(rows: NDArray[np.bool_], left: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Pairs the channels that are left, the most alike first."""
    likeness = np.triu(_likeness(rows[left], rows[left]), 1)
    first, second = np.nonzero(likeness >= _LEAST_ALIKE)
    pairs: list[tuple[int, int]] = []
    taken: set[int] = set()
    for index in np.argsort(-likeness[first, second], kind="stable"):
        one, other = int(first[index]), int(second[index])
        if one not in taken and other not in taken:
            taken |= {one, other}
            pairs.append((int(left[one]), int(left[other])))
    return pairs


def _likeness(some: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The share of values that are not zero in a block of one channel and another."""
    a, b = some.astype(np.float32), others.astype(np.float32)
    both = a @ b.T
    total = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
    stored = 2 * (total - both)
    likeness = np.zeros_like(both)
    np.divide(total, stored, out=likeness, where=stored > 0)
    return likeness
