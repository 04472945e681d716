"""Which channels have to lie in the same order: those of values, and the axes of constants.

A place is either a value, that is its last axis, or an axis of a constant. Operators tie places
together, or keep the order of one as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Tensor

__all__ = ["Axis", "Place", "Ties"]


class Axis(NamedTuple):
    """An axis of a constant.

    Attributes:
        content: identity of its data, see `Buffer.content`.
        number: which of its axes.
    """

    content: object
    number: int


Place: TypeAlias = "Tensor | Axis"
"""A value, for its last axis, or an axis of a constant."""


class Ties:
    """Places that share one order, and places whose order stays."""

    def __init__(self) -> None:
        self._parents: dict[Place, Place] = {}
        self._sizes: dict[Place, int] = {}
        self._kept: set[Place] = set()

    def add(self, place: Place, channels: int) -> None:
        """Adds a place with its number of channels; a value that differs from an earlier one stays.

        Args:
            place: the place.
            channels: how many channels there are.
        """
        root = self._root(place)
        if self._sizes.setdefault(root, channels) != channels:
            self._kept.add(root)

    def tie(self, one: Place, other: Place) -> None:
        """Two places share one order."""
        first, second = self._root(one), self._root(other)
        if first is second:
            return
        self._parents[second] = first
        size = self._sizes.pop(second, None)
        if second in self._kept:
            self._kept.discard(second)
            self._kept.add(first)
        if size is not None:
            self.add(first, size)

    def keep(self, place: Place) -> None:
        """The order of a place, and of what is tied to it, stays."""
        self._kept.add(self._root(place))

    def channels(self, place: Place) -> int:
        """How many channels there are."""
        return self._sizes.get(self._root(place), 0)

    def classes(self) -> Iterator[list[Place]]:
        """The places that share an order which may change, in the order in which they came."""
        together: dict[Place, list[Place]] = {}
        for place in self._parents:
            root = self._root(place)
            if root not in self._kept:
                together.setdefault(root, []).append(place)
        yield from together.values()

    def _root(self, place: Place) -> Place:
        parents = self._parents
        parents.setdefault(place, place)
        while parents[place] is not place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place
