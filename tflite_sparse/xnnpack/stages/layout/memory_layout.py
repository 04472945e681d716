"""The memory layout of a value: the shape that the runtime assumes, and the order of its axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tflite_sparse.xnnpack.graph import Node

__all__ = [
    "MemoryLayout",
    "broadcast",
    "dims_text",
    "joint_order",
    "nchw_order",
    "permuted",
    "plain_order",
    "renumbered",
]

_RANK = 4
_NCHW = (0, 3, 1, 2)


class MemoryLayout(msgspec.Struct, frozen=True):
    """The memory layout of a value.

    Attributes:
        shape: the shape that the runtime assumes, channels last.
        model_shape: the shape that the model states.
        order: axes of `model_shape` with more than one element, outermost first in memory.
    """

    shape: tuple[int, ...]
    model_shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def difference(self) -> str:
        """Both shapes in a sentence."""
        return f"{dims_text(self.shape)} instead of {dims_text(self.model_shape)}"

    @property
    def is_plain(self) -> bool:
        """Whether it is stored as the model states, channels last."""
        return self.order == plain_order(self.model_shape)

    @property
    def is_nchw(self) -> bool:
        """Whether it is stored channels first, or in a way that cannot be told from it."""
        return len(self.model_shape) == _RANK and self.order == nchw_order(self.model_shape)


def plain_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The order of the axes of a value that is stored channels last."""
    return tuple(axis for axis, size in enumerate(shape) if size != 1)


def nchw_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The order of the axes of a 4-D value that is stored channels first."""
    return tuple(axis for axis in _NCHW if shape[axis] != 1)


def permuted(shape: tuple[int, ...], *, nchw: bool) -> tuple[int, ...]:
    """A shape as a kernel of the sparse layout gets it: channels after the batch."""
    if not nchw or not shape:
        return shape
    return (shape[0], shape[-1], *shape[1:-1]) if len(shape) > 1 else shape


def broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of two shapes broadcast, None where they do not go together."""
    rank = max(len(first), len(second))
    a = (1,) * (rank - len(first)) + first
    b = (1,) * (rank - len(second)) + second
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        return None
    return tuple(max(x, y) for x, y in zip(a, b, strict=True))


def joint_order(
    first: MemoryLayout, second: MemoryLayout, *, nchw: bool, rank: int
) -> tuple[int, ...] | None:
    """The order of the axes of a binary operator's result; None where its inputs do not match."""
    for layout, other in ((first, second), (second, first)):
        same = layout.shape == other.shape and layout.order == other.order
        if math.prod(other.shape) == 1 or same:
            return tuple(axis + rank - len(layout.model_shape) for axis in layout.order)
    labels: dict[int, int] = {}
    for layout in (first, second):
        dims = permuted(layout.shape, nchw=nchw)
        offset = rank - len(dims)
        places = [(p + offset, size) for p, size in enumerate(dims) if size != 1]
        shift = rank - len(layout.model_shape)
        axes = [(axis + shift, layout.model_shape[axis]) for axis in layout.order]
        if [size for _, size in places] != [size for _, size in axes]:
            return None
        for (place, _), (axis, _) in zip(places, axes, strict=True):
            if labels.setdefault(place, axis) != axis:
                return None
    if len(set(labels.values())) != len(labels):
        return None
    return tuple(labels[place] for place in sorted(labels))


def dims_text(shape: tuple[int, ...]) -> str:
    """A shape in a sentence."""
    return "x".join(map(str, shape)) or "a scalar"


def renumbered(axis: int, node: Node) -> int:
    """The axis of a reduction's result that an axis of its input becomes."""
    # Without keep_dims, axes after a reduced one move up.
    reduction = node.reduction
    if reduction is None or reduction.keep_dims:
        return axis
    gone = {a % _RANK for a in reduction.axes}
    return axis - sum(a < axis for a in gone)
