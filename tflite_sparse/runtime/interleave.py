"""In which order models that are timed together take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["there_and_back"]

T = TypeVar("T")


def there_and_back(items: Sequence[T], turns: int) -> Iterator[T]:
    """Each item once a turn, every other turn from the last: to come first must not pay.

    Args:
        items: the items.
        turns: how many turns.
    """
    for turn in range(turns):
        yield from items[:: -1 if turn % 2 else 1]
