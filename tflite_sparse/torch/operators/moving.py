"""Operators that only move values: shapes, slices, joining, blocks, and padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tflite_sparse.torch.operators.lowering import Lowering, Rule, Step, activation

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOVING", "picked"]

_MASKS = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")


def picked(x: Tensor, axis: int, index: Any) -> Tensor:
    """The values at some places along a dimension."""
    return x.index_select(axis, torch.as_tensor(index, device=x.device))


def _reshaped(op: Lowering, shape: Sequence[int]) -> Step:
    """To a shape of the file; a larger batch stays in front, where it is in memory."""
    before = op.shape()[:1]
    if not before or not shape:
        return lambda x, *_: x.reshape(tuple(shape))

    def run(x: Tensor, *_: Tensor) -> Tensor:
        return x.reshape(x.shape[0] * shape[0] // before[0], *shape[1:])

    return run


def _reshape(op: Lowering) -> Step:
    if len(op.shapes) > 1 and op.shapes[1] is not None:
        shape = op.integers(1)
    else:
        stated = op.option("new_shape")
        shape = [] if stated is None else [int(size) for size in stated]
    elements = int(np.prod(op.shape()))
    if -1 in shape:
        rest = max(int(np.prod([size for size in shape if size != -1])), 1)
        shape = [elements // rest if size == -1 else size for size in shape]
    return _reshaped(op, shape)


def _squeeze(op: Lowering) -> Step:
    shape = op.shape()
    stated = op.option("squeeze_dims")
    gone = {int(axis) % len(shape) for axis in stated} if stated is not None else set()
    if not gone:
        gone = {axis for axis, size in enumerate(shape) if size == 1}
    return _reshaped(op, [size for axis, size in enumerate(shape) if axis not in gone])


def _expand_dims(op: Lowering) -> Step:
    (axis,) = op.integers(1)
    shape = op.shape()
    axis %= len(shape) + 1
    return _reshaped(op, (*shape[:axis], 1, *shape[axis:]))


def _transpose(op: Lowering) -> Step:
    rank = len(op.shape())
    order = [axis % rank for axis in op.integers(1)]
    if order and order[0] != 0:
        op.touches(0)
    return lambda x, _: x.permute(order)


def _concatenation(op: Lowering) -> Step:
    axis = op.axis(int(op.option("axis", 0)))
    return activation(lambda *parts: torch.cat(parts, axis), op.activation())


def _pack(op: Lowering) -> Step:
    axis = op.axis(int(op.option("axis", 0)), len(op.shape()) + 1)
    return lambda *parts: torch.stack(parts, axis)


def _unpack(op: Lowering) -> Step:
    axis = op.axis(int(op.option("axis", 0)))
    return lambda x: x.unbind(axis)


def _split(op: Lowering) -> Step:
    (number,) = op.integers(0)
    axis = op.axis(number, len(op.shape(1)))
    size = op.shape(1)[axis] // len(op.operator.outputs)
    return lambda _, x: x.split(size, axis)


def _split_v(op: Lowering) -> Step:
    sizes, (number,) = op.integers(1), op.integers(2)
    axis = op.axis(number)
    if -1 in sizes:
        rest = op.shape()[axis] - sum(size for size in sizes if size != -1)
        sizes = [rest if size == -1 else size for size in sizes]
    return lambda x, *_: x.split(sizes, axis)


def _slice(op: Lowering) -> Step:
    taken: list[Any] = []
    for axis, (whole, begin, size) in enumerate(
        zip(op.shape(), op.integers(1), op.integers(2), strict=True)
    ):
        end = whole if size == -1 else begin + size
        taken.append(_range(op, axis, range(begin, end), whole))
    return lambda x, *_: x[tuple(taken)]


def _range(op: Lowering, axis: int, places: range, whole: int) -> slice:
    """What takes such places along a dimension; all of them is all of a larger batch too."""
    if places == range(whole):
        return slice(None)
    op.touches(axis)
    return slice(places.start, places.stop, places.step)


def _strided_slice(op: Lowering) -> Step:
    shape = op.shape()
    masks = {name: int(op.option(f"{name}_mask", 0)) for name in _MASKS}
    numbers = list(zip(op.integers(1), op.integers(2), op.integers(3), strict=True))
    flags = [{name for name in _MASKS if masks[name] >> bit & 1} for bit in range(len(numbers))]
    skipped = len(shape) - sum(1 for flag in flags if not flag & {"ellipsis", "new_axis"})
    taken: list[Any] = []
    flipped: list[tuple[int, range]] = []
    axis = 0
    for flag, (begin, end, stride) in zip(flags, numbers, strict=True):
        if "ellipsis" in flag:
            taken += [slice(None)] * skipped
            axis += skipped
            continue
        if "new_axis" in flag:
            op.mixes_batch |= axis == 0 and op.batched[0]
            taken.append(None)
            continue
        last = begin + end if op.option("offset", default=False) else end
        bounds = slice(None if "begin" in flag else begin, None if "end" in flag else last, stride)
        places = range(*bounds.indices(shape[axis]))
        if "shrink_axis" in flag:
            op.touches(axis)
            taken.append(bounds.indices(shape[axis])[0])
        elif stride < 0:
            # PyTorch's own slices only go forward.
            op.touches(axis)
            flipped.append((axis, places))
            taken.append(slice(None))
        else:
            taken.append(_range(op, axis, places, shape[axis]))
        axis += 1

    def run(x: Tensor, *_: Tensor) -> Tensor:
        for dimension, places in flipped:
            x = picked(x, dimension, list(places))
        return x[tuple(taken)]

    return run


def _gather(op: Lowering) -> Step:
    if int(op.option("batch_dims", 0)):
        raise op.refused("gathers for each entry of a batch")
    axis = op.axis(int(op.option("axis", 0)))

    def run(x: Tensor, index: Tensor) -> Tensor:
        flat = x.index_select(axis, index.reshape(-1).long())
        return flat.reshape(*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])

    return run


def _tile(op: Lowering) -> Step:
    counts = op.integers(1)
    if counts and counts[0] != 1:
        op.touches(0)
    return lambda x, _: x.repeat(counts)


def _broadcast(op: Lowering) -> Step:
    shape = op.integers(1)
    op.touches(0)
    return lambda x, _: x.expand(shape)


def _reverse(op: Lowering) -> Step:
    axes = [op.axis(number) for number in op.integers(1)]
    return lambda x, _: x.flip(axes)


def _depth_to_space(op: Lowering) -> Step:
    block = int(op.option("block_size", 1))

    def run(x: Tensor) -> Tensor:
        n, height, width, channels = x.shape
        inner = channels // block**2
        parts = x.reshape(n, height, width, block, block, inner).permute(0, 1, 3, 2, 4, 5)
        return parts.reshape(n, height * block, width * block, inner)

    return run


def _space_to_depth(op: Lowering) -> Step:
    block = int(op.option("block_size", 1))

    def run(x: Tensor) -> Tensor:
        n, height, width, channels = x.shape
        parts = x.reshape(n, height // block, block, width // block, block, channels)
        parts = parts.permute(0, 1, 3, 2, 4, 5)
        return parts.reshape(n, height // block, width // block, channels * block**2)

    return run


def _pad(op: Lowering) -> Step:
    amounts = op.array(1).reshape(-1, 2).tolist()
    if any(amounts[0]):
        op.touches(0)
    # PyTorch counts from the last dimension.
    flat = [amount for both in reversed(amounts) for amount in both]
    value = float(op.array(2).reshape(-1)[0]) if op.operator.name == "PADV2" else 0.0
    return lambda x, *_: functional.pad(x, flat, value=value)


def _mirror_pad(op: Lowering) -> Step:
    mode: Literal["reflect", "symmetric"] = "reflect"
    if op.option("mode", "REFLECT") != "REFLECT":
        mode = "symmetric"
    places = []
    for axis, (size, both) in enumerate(
        zip(op.shape(), op.array(1).reshape(-1, 2).tolist(), strict=True)
    ):
        if any(both):
            op.touches(axis)
            places.append((axis, np.pad(np.arange(size), both, mode=mode)))

    def run(x: Tensor, _: Tensor) -> Tensor:
        for axis, index in places:
            x = picked(x, axis, index)
        return x

    return run


def _fill(op: Lowering) -> Step:
    shape = op.integers(0)
    return lambda _, value: value.expand(shape)


MOVING: dict[str, Rule] = {
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
    "TRANSPOSE": _transpose,
    "CONCATENATION": _concatenation,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "GATHER": _gather,
    "TILE": _tile,
    "BROADCAST_TO": _broadcast,
    "REVERSE_V2": _reverse,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _mirror_pad,
    "FILL": _fill,
}
