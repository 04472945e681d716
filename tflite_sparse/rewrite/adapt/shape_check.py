"""Checks that the shapes and operands in a file are those that the runtime would compute.

The runtime computes all shapes itself and ignores those in the file, but adapting relies on them.
A subgraph with other shapes, or with operators that lack operands, is therefore left alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.errors import ModelError
from tflite_sparse.rewrite.adapt.option_tables import has_own_options
from tflite_sparse.rewrite.adapt.queries import RANK, constant_of, has_bias, integers_of
from tflite_sparse.xnnpack.stages.delegate.operators import UNARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Subgraph

__all__ = ["shape_mismatch"]

Shape = tuple[int, ...]

_PAIR = 2


def shape_mismatch(subgraph: Subgraph) -> tuple[Operator, str] | None:
    """The first operator that the file describes wrongly, and what is wrong; None if all fit."""
    computed = set(subgraph.inputs)
    for op in subgraph.operators:
        if any(t is not None and t not in computed and subgraph.producer(t) for t in op.inputs):
            return op, "reads a tensor before it is computed"
        if any(t in computed or t.is_constant for t in op.outputs):
            return op, "writes a tensor that has its value already"
        if not has_own_options(op):
            return op, "has the options of another operator"
        computed.update(op.outputs)
        rule = _RULES.get(op.name)
        if rule is not None and not _fits(op, *rule):
            return op, "has operands or a shape that do not fit together"
    return None


def _fits(operator: Operator, operands: int, expected: Callable[[Operator], Shape | None]) -> bool:
    if len(operator.outputs) != 1 or len(operator.inputs) < operands:
        return False
    if any(tensor is None for tensor in operator.inputs[:operands]):
        return False
    try:
        shape = expected(operator)
    except (IndexError, ValueError, ModelError):
        return False
    return shape is None or shape == operator.outputs[0].shape


def _shape(operator: Operator, operand: int) -> Shape:
    tensor = operator.inputs[operand]
    if tensor is None:
        raise ValueError("the operand is missing")
    return tensor.shape


def _map(operator: Operator) -> Shape:
    shape = _shape(operator, 0)
    if len(shape) != RANK or min(shape) < 1:
        raise ValueError("no map")
    return shape


def _windows(operator: Operator, kernel: tuple[int, int]) -> tuple[int, int]:
    sizes = []
    for axis, letter in ((1, "h"), (2, "w")):
        size, stride = _map(operator)[axis], int(operator.option(f"stride_{letter}", 1))
        dilation = int(operator.option(f"dilation_{letter}_factor", 1))
        if stride < 1 or dilation < 1 or kernel[axis - 1] < 1:
            raise ValueError("no window")
        reach = (kernel[axis - 1] - 1) * dilation + 1
        if operator.option("padding", "SAME") == "SAME":
            sizes.append(-(-size // stride))
        else:
            sizes.append((size - reach) // stride + 1)
    return sizes[0], sizes[1]


def _bias_fits(operator: Operator, channels: int) -> bool:
    return not has_bias(operator) or _shape(operator, 2) == (channels,)


def _convolution(operator: Operator) -> Shape:
    batch, _, _, channels = _map(operator)
    outputs, height, width, inputs = _shape(operator, 1)
    if not _bias_fits(operator, outputs) or inputs < 1 or channels % inputs:
        raise ValueError("the filter does not fit")
    return (batch, *_windows(operator, (height, width)), outputs)


def _depthwise(operator: Operator) -> Shape:
    batch, _, _, channels = _map(operator)
    one, height, width, outputs = _shape(operator, 1)
    if one != 1 or outputs % channels or not _bias_fits(operator, outputs):
        raise ValueError("the filter does not fit")
    return (batch, *_windows(operator, (height, width)), outputs)


def _pool(operator: Operator) -> Shape:
    batch, _, _, channels = _map(operator)
    kernel = int(operator.option("filter_height", 0)), int(operator.option("filter_width", 0))
    return (batch, *_windows(operator, kernel), channels)


def _binary(operator: Operator) -> Shape:
    return tuple(np.broadcast_shapes(_shape(operator, 0), _shape(operator, 1)))


def _same(operator: Operator) -> Shape:
    return _shape(operator, 0)


def _reduce(operator: Operator) -> Shape | None:
    shape, axes = _shape(operator, 0), integers_of(operator, 1)
    if axes is None:
        return None
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError("no axis")
    gone = {axis % len(shape) for axis in axes}
    if operator.option("keep_dims", default=False):
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def _reshape(operator: Operator) -> Shape:
    result = operator.outputs[0].shape
    if math.prod(result) != math.prod(_shape(operator, 0)):
        raise ValueError("another number of elements")
    return result


def _pad(operator: Operator) -> Shape | None:
    pads, shape = constant_of(operator, 1), _shape(operator, 0)
    if pads is None:
        return None
    if pads.shape != (len(shape), 2):
        raise ValueError("no paddings")
    return tuple(
        size + before + after for size, (before, after) in zip(shape, pads.tolist(), strict=True)
    )


def _set_diagonal(operator: Operator) -> Shape:
    shape, diagonal = _shape(operator, 0), _shape(operator, 1)
    if len(shape) < _PAIR or diagonal != (*shape[:-2], min(shape[-2:])):
        raise ValueError("no such diagonal")
    return shape


def _concatenation(operator: Operator) -> Shape:
    shapes = [_shape(operator, operand) for operand in range(len(operator.inputs))]
    if not shapes or not shapes[0]:
        raise ValueError("scalars are not joined")
    axis = int(operator.option("axis", 0)) % len(shapes[0])
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(others) != 1 or len({len(shape) for shape in shapes}) != 1:
        raise ValueError("the inputs do not fit")
    total = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def _resize(operator: Operator) -> Shape | None:
    size, shape = integers_of(operator, 1), _map(operator)
    if size is None:
        return None
    height, width = size
    return (shape[0], height, width, shape[3])


def _depth_to_space(operator: Operator) -> Shape:
    block = int(operator.option("block_size", 0))
    batch, height, width, channels = _map(operator)
    if block < 1 or channels % (block * block):
        raise ValueError("no block")
    return (batch, height * block, width * block, channels // (block * block))


def _fully_connected(operator: Operator) -> Shape:
    shape, (units, depth) = _shape(operator, 0), _shape(operator, 1)
    if depth < 1 or math.prod(shape) % depth or not _bias_fits(operator, units):
        raise ValueError("the filter does not fit")
    if operator.option("keep_num_dims", default=False):
        return (*shape[:-1], units)
    return (math.prod(shape) // depth, units)


_RULES: dict[str, tuple[int, Callable[[Operator], Shape | None]]] = {
    "CONV_2D": (2, _convolution),
    "DEPTHWISE_CONV_2D": (2, _depthwise),
    "AVERAGE_POOL_2D": (1, _pool),
    "MAX_POOL_2D": (1, _pool),
    "PRELU": (2, _same),
    "MEAN": (2, _reduce),
    "SUM": (2, _reduce),
    "RESHAPE": (1, _reshape),
    "PAD": (2, _pad),
    "MATRIX_SET_DIAG": (2, _set_diagonal),
    "CONCATENATION": (1, _concatenation),
    "RESIZE_BILINEAR": (2, _resize),
    "DEPTH_TO_SPACE": (1, _depth_to_space),
    "FULLY_CONNECTED": (2, _fully_connected),
    **dict.fromkeys(("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM"), (2, _binary)),
    **dict.fromkeys(UNARY, (1, _same)),
}
