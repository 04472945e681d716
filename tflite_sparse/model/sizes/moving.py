"""The shapes that operators which only move values give to their outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model.sizes.operands import Operands, Shape

__all__ = ["MOVING", "SPLITTING", "concatenated", "sliced", "squeezed"]

_PAIR = 2


def _reshape(operands: Operands) -> Shape | None:
    elements = math.prod(operands.shape(0))
    wanted = operands.integers(1)
    if wanted is None:
        if len(operands) > 1 and operands.operator.inputs[1] is not None:
            return None
        stated = operands.option("new_shape", None)
        wanted = () if stated is None else tuple(int(size) for size in stated)
    if wanted.count(-1) > 1:
        raise ValueError("two sizes are left open")
    fixed = math.prod(size for size in wanted if size != -1)
    if -1 in wanted:
        if fixed < 1 or elements % fixed:
            raise ValueError("another number of elements")
        return tuple(elements // fixed if size == -1 else size for size in wanted)
    if fixed != elements:
        raise ValueError("another number of elements")
    return wanted


def _pad(operands: Operands) -> Shape | None:
    pads, shape = operands.array(1), operands.shape(0)
    if pads is None:
        return None
    if pads.shape != (len(shape), 2):
        raise ValueError("no paddings")
    return tuple(
        size + before + after for size, (before, after) in zip(shape, pads.tolist(), strict=True)
    )


def _set_diagonal(operands: Operands) -> Shape:
    shape, diagonal = operands.shape(0), operands.shape(1)
    if len(shape) < _PAIR or diagonal != (*shape[:-2], min(shape[-2:])):
        raise ValueError("no such diagonal")
    return shape


def concatenated(operands: Operands) -> Shape:
    """The shape of a CONCATENATION.

    Raises:
        ValueError: the inputs do not fit.
    """
    shapes = [operands.shape(operand) for operand in range(len(operands))]
    if not shapes or not shapes[0]:
        raise ValueError("scalars are not joined")
    axis = int(operands.option("axis", 0)) % len(shapes[0])
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(others) != 1 or len({len(shape) for shape in shapes}) != 1:
        raise ValueError("the inputs do not fit")
    total = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _depth_to_space(operands: Operands) -> Shape:
    block = int(operands.option("block_size", 0))
    batch, height, width, channels = operands.map()
    if block < 1 or channels % (block * block):
        raise ValueError("no block")
    return (batch, height * block, width * block, channels // (block * block))


def _space_to_depth(operands: Operands) -> Shape:
    block = int(operands.option("block_size", 0))
    batch, height, width, channels = operands.map()
    if block < 1 or height % block or width % block:
        raise ValueError("no block")
    return (batch, height // block, width // block, channels * block * block)


def _space_to_batch(operands: Operands) -> Shape | None:
    blocks, pads = operands.integers(1), operands.array(2)
    if blocks is None or pads is None:
        return None
    batch, *shape = operands.shape(0)
    inner, outer = shape[: len(blocks)], shape[len(blocks) :]
    sizes = []
    for size, block, (before, after) in zip(inner, blocks, pads.tolist(), strict=True):
        padded = size + before + after
        if block < 1 or padded % block:
            raise ValueError("no block")
        sizes.append(padded // block)
    return (batch * math.prod(blocks), *sizes, *outer)


def _batch_to_space(operands: Operands) -> Shape | None:
    blocks, crops = operands.integers(1), operands.array(2)
    if blocks is None or crops is None:
        return None
    batch, *shape = operands.shape(0)
    inner, outer = shape[: len(blocks)], shape[len(blocks) :]
    if math.prod(blocks) < 1 or batch % math.prod(blocks):
        raise ValueError("no block")
    sizes = [
        size * block - before - after
        for size, block, (before, after) in zip(inner, blocks, crops.tolist(), strict=True)
    ]
    return (batch // math.prod(blocks), *sizes, *outer)


def _slice(operands: Operands) -> Shape | None:
    begins, sizes = operands.integers(1), operands.integers(2)
    if begins is None or sizes is None:
        return None
    shape = []
    for whole, begin, size in zip(operands.shape(0), begins, sizes, strict=True):
        taken = whole - begin if size == -1 else size
        if begin < 0 or taken < 0 or begin + taken > whole:
            raise ValueError("the slice reaches too far")
        shape.append(taken)
    return tuple(shape)


def sliced(operands: Operands, array: Any) -> Any | None:
    """What a STRIDED_SLICE takes of an array of its input's shape; None where that is not known.

    Raises:
        IndexError: the slice does not fit.
        ValueError: it makes no sense.
    """
    numbers = [operands.integers(operand) for operand in (1, 2, 3)]
    begins, ends, strides = numbers
    if begins is None or ends is None or strides is None:
        return None
    names = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    masks = {name: int(operands.option(f"{name}_mask", 0)) for name in names}
    index: list[Any] = []
    for bit, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        flag = {name for name, mask in masks.items() if mask >> bit & 1}
        if "ellipsis" in flag:
            index.append(Ellipsis)
        elif "new_axis" in flag:
            index.append(None)
        elif "shrink_axis" in flag:
            # StridedSliceStartForAxis of the runtime: the mask comes before the number.
            index.append((0 if stride > 0 else -1) if "begin" in flag else begin)
        else:
            last = begin + end if operands.option("offset", default=False) else end
            index.append(
                slice(None if "begin" in flag else begin, None if "end" in flag else last, stride)
            )
    return array[tuple(index)]


def _strided_slice(operands: Operands) -> Shape | None:
    # An array of this shape that takes no memory.
    taken = sliced(operands, np.broadcast_to(np.int8(0), operands.shape(0)))
    return None if taken is None else taken.shape


def _transpose(operands: Operands) -> Shape | None:
    order, shape = operands.integers(1), operands.shape(0)
    if order is None:
        return None
    if sorted(axis % len(shape) for axis in order) != list(range(len(shape))):
        raise ValueError("no permutation")
    return tuple(shape[axis] for axis in order)


def _expand_dims(operands: Operands) -> Shape | None:
    axes, shape = operands.integers(1), operands.shape(0)
    if axes is None or len(axes) != 1:
        return None
    axis = axes[0] % (len(shape) + 1)
    return (*shape[:axis], 1, *shape[axis:])


def squeezed(operands: Operands) -> Shape:
    """The shape of a SQUEEZE.

    Raises:
        ValueError: a size is not 1.
    """
    shape, stated = operands.shape(0), operands.option("squeeze_dims", None)
    axes = () if stated is None else tuple(int(axis) % len(shape) for axis in stated)
    if any(shape[axis] != 1 for axis in axes):
        raise ValueError("a size is not 1")
    if axes:
        return tuple(size for axis, size in enumerate(shape) if axis not in axes)
    return tuple(size for size in shape if size != 1)


def _pack(operands: Operands) -> Shape:
    shape = operands.shape(0)
    axis = int(operands.option("axis", 0)) % (len(shape) + 1)
    return (*shape[:axis], len(operands), *shape[axis:])


def _unpack(operands: Operands) -> Shape:
    shape = operands.shape(0)
    axis = int(operands.option("axis", 0)) % len(shape)
    if shape[axis] != len(operands.operator.outputs):
        raise ValueError("another number of outputs")
    return (*shape[:axis], *shape[axis + 1 :])


def _gather(operands: Operands) -> Shape:
    shape, indices = operands.shape(0), operands.shape(1)
    axis = int(operands.option("axis", 0)) % len(shape)
    batch = int(operands.option("batch_dims", 0))
    return (*shape[:axis], *indices[batch:], *shape[axis + 1 :])


def _lookup(operands: Operands) -> Shape:
    return (*operands.shape(0), *operands.shape(1)[1:])


def _tile(operands: Operands) -> Shape | None:
    times = operands.integers(1)
    if times is None:
        return None
    return tuple(size * n for size, n in zip(operands.shape(0), times, strict=True))


def _wanted(operand: int) -> Callable[[Operands], Shape | None]:
    return lambda operands: operands.integers(operand)


def _broadcast_to(operands: Operands) -> Shape | None:
    wanted = operands.integers(1)
    if wanted is None:
        return None
    if np.broadcast_shapes(operands.shape(0), wanted) != wanted:
        raise ValueError("the shape does not fit")
    return wanted


def _shape_of_shape(operands: Operands) -> Shape:
    return (len(operands.shape(0)),)


def _one_hot(operands: Operands) -> Shape | None:
    depth, shape = operands.integers(1), operands.shape(0)
    if depth is None:
        return None
    axis = int(operands.option("axis", -1)) % (len(shape) + 1)
    return (*shape[:axis], depth[0], *shape[axis:])


def _range(operands: Operands) -> Shape | None:
    numbers = [operands.array(operand) for operand in range(3)]
    if any(number is None for number in numbers):
        return None
    start, limit, step = (float(number.reshape(-1)[0]) for number in numbers if number is not None)
    return (max(0, math.ceil((limit - start) / step)),)


def _top(operands: Operands) -> Shape | None:
    count = operands.integers(1)
    return None if count is None else (*operands.shape(0)[:-1], count[0])


def _split(operands: Operands) -> Shape | None:
    axes, shape = operands.integers(0), operands.shape(1)
    if axes is None:
        return None
    axis, parts = axes[0] % len(shape), len(operands.operator.outputs)
    if shape[axis] % parts:
        raise ValueError("the parts are not equal")
    return (*shape[:axis], shape[axis] // parts, *shape[axis + 1 :])


def _split_sizes(operands: Operands) -> tuple[Shape, ...] | None:
    shape, sizes, axes = operands.shape(0), operands.integers(1), operands.integers(2)
    if sizes is None or axes is None:
        return None
    axis = axes[0] % len(shape)
    rest = shape[axis] - sum(size for size in sizes if size != -1)
    if rest < 0 or (rest and -1 not in sizes):
        raise ValueError("the parts do not fit")
    taken = (rest if size == -1 else size for size in sizes)
    return tuple((*shape[:axis], size, *shape[axis + 1 :]) for size in taken)


MOVING: dict[str, tuple[int, Callable[[Operands], Shape | None]]] = {
    "RESHAPE": (1, _reshape),
    "PAD": (2, _pad),
    "PADV2": (2, _pad),
    "MIRROR_PAD": (2, _pad),
    "MATRIX_SET_DIAG": (2, _set_diagonal),
    "CONCATENATION": (1, concatenated),
    "DEPTH_TO_SPACE": (1, _depth_to_space),
    "SPACE_TO_DEPTH": (1, _space_to_depth),
    "SPACE_TO_BATCH_ND": (3, _space_to_batch),
    "BATCH_TO_SPACE_ND": (3, _batch_to_space),
    "SLICE": (3, _slice),
    "STRIDED_SLICE": (4, _strided_slice),
    "TRANSPOSE": (2, _transpose),
    "EXPAND_DIMS": (2, _expand_dims),
    "SQUEEZE": (1, squeezed),
    "PACK": (1, _pack),
    "UNPACK": (1, _unpack),
    "GATHER": (2, _gather),
    "EMBEDDING_LOOKUP": (2, _lookup),
    "TILE": (2, _tile),
    "FILL": (2, _wanted(0)),
    "BROADCAST_TO": (2, _broadcast_to),
    "SHAPE": (1, _shape_of_shape),
    "RANK": (1, lambda _: ()),
    "ONE_HOT": (2, _one_hot),
    "RANGE": (3, _range),
    "TOPK_V2": (2, _top),
    "SPLIT": (2, _split),
}
"""By the kind of operator: how many operands it needs, and its rule; see `COMPUTING`. All outputs
have the shape that it gives."""

SPLITTING: dict[str, tuple[int, Callable[[Operands], tuple[Shape, ...] | None]]] = {
    "SPLIT_V": (3, _split_sizes),
}
"""The same for operators whose outputs have shapes of their own."""
