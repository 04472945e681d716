"""Sequences of which each item is made when it is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar, overload

__all__ = ["LazySequence", "Part"]

Item = TypeVar("Item")


class LazySequence(Sequence[Item]):
    """Items that are read when they are asked for, since all together may be large.

    Args:
        sources: what each is read from.
    """

    def __init__(self, sources: Any) -> None:
        self._sources = sources

    @abstractmethod
    def read(self, index: int) -> Item:
        """The item at a place."""

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return [self.read(number) for number in range(*index.indices(len(self)))]
        return self.read(index)


class Part(LazySequence[Item]):
    """Some of a sequence, by their numbers.

    Args:
        whole: the sequence.
        numbers: which of its items.
    """

    def __init__(self, whole: Sequence[Item], numbers: Sequence[int]) -> None:
        super().__init__(numbers)
        self._whole = whole

    def read(self, index: int) -> Item:
        """The item at a place of the part."""
        return self._whole[self._sources[index]]  # type: ignore[no-any-return]
