"""Reads an encoding by a plain walk over its levels, one value at a time, as the runtime does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tflite_sparse.encoding import SparseEncoding

__all__ = ["MisreadError", "walk"]


class MisreadError(Exception):
    """The walk has left the encoding or the tensor."""


class Walk:
    """Decodes one value at a time; raises where anything is read twice, beyond or not at all."""

    def __init__(self, encoding: SparseEncoding) -> None:
        self.encoding = encoding
        self.rank, self.blocks = len(encoding.shape), encoding.block_map or ()
        self.out = np.zeros(encoding.shape, encoding.values.dtype)
        self.written = np.zeros(encoding.shape, bool)
        self.taken = 0
        # The runtime finds the blocks by going through the dimensions once, and their sizes at the
        # level whose number the traversal order holds.
        self.block_size = [0] * len(self.blocks)
        found = 0
        for dimension in range(self.rank):
            if found < len(self.blocks) and self.blocks[found] == dimension:
                entry = encoding.traversal_order[self.rank + found]
                self.block_size[found] = encoding.levels[entry].dense_size
                found += 1

    def visit(self, number: int, node: int, path: tuple[int, ...]) -> None:
        """Walks what is below a node of a level."""
        if number == len(self.encoding.traversal_order):
            self.take(path)
            return
        level = self.encoding.levels[number]
        if level.segments is None:
            for index in range(level.dense_size):
                self.visit(number + 1, node * level.dense_size + index, (*path, index))
            return
        if level.indices is None or node + 1 >= level.segments.size:
            raise MisreadError
        start, stop = int(level.segments[node]), int(level.segments[node + 1])
        if not 0 <= start <= stop <= level.indices.size:
            raise MisreadError
        for child in range(start, stop):
            self.visit(number + 1, child, (*path, int(level.indices[child])))

    def take(self, path: tuple[int, ...]) -> None:
        """Puts the next value to its place."""
        order = self.encoding.traversal_order
        place = [0] * self.rank
        for entry, index in zip(order[: self.rank], path[: self.rank], strict=True):
            place[entry] = index
        for entry, index in zip(order[self.rank :], path[self.rank :], strict=True):
            block = entry - self.rank
            dimension = self.blocks[block]
            place[dimension] = place[dimension] * self.block_size[block] + index
        at, shape = tuple(place), self.encoding.shape
        inside = all(0 <= index < size for index, size in zip(at, shape, strict=True))
        if not inside or self.written[at] or self.taken >= self.encoding.values.size:
            raise MisreadError
        self.out[at], self.written[at] = self.encoding.values[self.taken], True
        self.taken += 1


def walk(encoding: SparseEncoding) -> np.ndarray:
    """The dense tensor.

    Raises:
        MisreadError: something would be read twice, beyond its end, or not at all.
    """
    walker = Walk(encoding)
    walker.visit(0, 0, ())
    if walker.taken != encoding.values.size:
        raise MisreadError
    return walker.out
