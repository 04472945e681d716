"""The shapes that operators which compute give to their outputs, by the shapes of their inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model.sizes.operands import RANK, Operands, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BINARY_KINDS", "COMPUTING", "ELEMENTWISE_KINDS", "REDUCTIONS"]

_PAIR = 2

ELEMENTWISE_KINDS = (
    "ABS", "CAST", "CEIL", "COS", "CUMSUM", "DENSIFY", "DEQUANTIZE", "ELU", "EXP", "FAKE_QUANT",
    "FLOOR", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU", "LOCAL_RESPONSE_NORMALIZATION",
    "LOG", "LOGICAL_NOT", "LOGISTIC", "LOG_SOFTMAX", "NEG", "PRELU", "QUANTIZE", "RELU", "RELU6",
    "RELU_0_TO_1", "RELU_N1_TO_1", "REVERSE_V2", "ROUND", "RSQRT", "SIGN", "SIN", "SOFTMAX", "SQRT",
    "SQUARE", "TANH", "ZEROS_LIKE",
)  # fmt: skip
"""Operators whose output has the shape of their first input."""

BINARY_KINDS = (
    "ADD", "DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS",
    "LESS_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "POW",
    "SQUARED_DIFFERENCE", "SUB",
)  # fmt: skip
"""Operators with two inputs that are brought to one shape."""

REDUCTIONS = (
    "MEAN", "SUM", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD",
)  # fmt: skip
"""Operators that reduce along axes."""


def _windows(operands: Operands, kernel: tuple[int, int]) -> tuple[int, int]:
    sizes = []
    for axis, letter in ((1, "h"), (2, "w")):
        size, stride = operands.map()[axis], int(operands.option(f"stride_{letter}", 1))
        dilation = int(operands.option(f"dilation_{letter}_factor", 1))
        if stride < 1 or dilation < 1 or kernel[axis - 1] < 1:
            raise ValueError("no window")
        reach = (kernel[axis - 1] - 1) * dilation + 1
        if operands.option("padding", "SAME") == "SAME":
            sizes.append(-(-size // stride))
        else:
            sizes.append((size - reach) // stride + 1)
    return sizes[0], sizes[1]


def _convolution(operands: Operands) -> Shape:
    batch, _, _, channels = operands.map()
    outputs, height, width, inputs = operands.shape(1)
    if not operands.bias_fits(outputs) or inputs < 1 or channels % inputs:
        raise ValueError("the filter does not fit")
    return (batch, *_windows(operands, (height, width)), outputs)


def _depthwise(operands: Operands) -> Shape:
    batch, _, _, channels = operands.map()
    one, height, width, outputs = operands.shape(1)
    if one != 1 or outputs % channels or not operands.bias_fits(outputs):
        raise ValueError("the filter does not fit")
    return (batch, *_windows(operands, (height, width)), outputs)


def _pool(operands: Operands) -> Shape:
    batch, _, _, channels = operands.map()
    kernel = int(operands.option("filter_height", 0)), int(operands.option("filter_width", 0))
    return (batch, *_windows(operands, kernel), channels)


def _transpose_convolution(operands: Operands) -> Shape | None:
    size, (batch, _, _, channels) = operands.integers(0), operands.map(2)
    outputs, _, _, inputs = operands.shape(1)
    if channels != inputs:
        raise ValueError("the filter does not fit")
    if size is None:
        return None
    batch_out, height, width, channels_out = size
    if (batch_out, channels_out) != (batch, outputs):
        raise ValueError("the output shape does not fit")
    # The map must be what a convolution makes of the output: the runtime asks for no less.
    for axis, letter, whole in ((1, "h", height), (2, "w", width)):
        stride = int(operands.option(f"stride_{letter}", 1))
        reach = operands.shape(1)[axis]
        same = operands.option("padding", "SAME") == "SAME"
        fitting = -(-whole // stride) if same else (whole - reach) // stride + 1
        if fitting != operands.map(2)[axis]:
            raise ValueError("the output shape does not fit")
    return (batch, height, width, outputs)


def _binary(operands: Operands) -> Shape:
    return tuple(np.broadcast_shapes(operands.shape(0), operands.shape(1)))


def _select(operands: Operands) -> Shape:
    return tuple(np.broadcast_shapes(*(operands.shape(i) for i in range(3))))


def _same(operands: Operands) -> Shape:
    return operands.shape(0)


def _add_n(operands: Operands) -> Shape:
    if len({operands.shape(i) for i in range(len(operands))}) != 1:
        raise ValueError("the inputs do not fit")
    return operands.shape(0)


def _reduce(operands: Operands) -> Shape | None:
    shape, axes = operands.shape(0), operands.integers(1)
    if axes is None:
        return None
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise ValueError("no axis")
    gone = {axis % len(shape) for axis in axes}
    if operands.option("keep_dims", default=False):
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def _arg(operands: Operands) -> Shape | None:
    axes = operands.integers(1)
    if axes is None or len(axes) != 1:
        return None
    shape = list(operands.shape(0))
    del shape[axes[0]]
    return tuple(shape)


def _fully_connected(operands: Operands) -> Shape:
    shape, (units, depth) = operands.shape(0), operands.shape(1)
    if depth < 1 or math.prod(shape) % depth or not operands.bias_fits(units):
        raise ValueError("the filter does not fit")
    if operands.option("keep_num_dims", default=False):
        return (*shape[:-1], units)
    return (math.prod(shape) // depth, units)


def _batch_matmul(operands: Operands) -> Shape:
    left, right = operands.shape(0), operands.shape(1)
    if min(len(left), len(right)) < _PAIR:
        raise ValueError("no matrix")
    rows, depth = left[-2:][::-1] if operands.option("adj_x", default=False) else left[-2:]
    inner, columns = right[-2:][::-1] if operands.option("adj_y", default=False) else right[-2:]
    if depth != inner:
        raise ValueError("the matrices do not fit")
    return (*np.broadcast_shapes(left[:-2], right[:-2]), rows, columns)


def _resize(operands: Operands) -> Shape | None:
    size, shape = operands.integers(1), operands.map()
    if size is None:
        return None
    height, width = size
    return (shape[0], height, width, shape[3])


def _sequence(operands: Operands) -> Shape | None:
    # (batch, time, features), or time first; the width is that of the recurrent weights.
    shape = operands.shape(0)
    projection = operands.operator.inputs[16] if len(operands) > RANK * RANK else None
    output_gate = operands.shape(4)
    width = output_gate[0] if projection is None else projection.shape[0]
    return (*shape[:-1], width)


COMPUTING: dict[str, tuple[int, Callable[[Operands], Shape | None]]] = {
    "CONV_2D": (2, _convolution),
    "DEPTHWISE_CONV_2D": (2, _depthwise),
    "TRANSPOSE_CONV": (3, _transpose_convolution),
    "AVERAGE_POOL_2D": (1, _pool),
    "MAX_POOL_2D": (1, _pool),
    "L2_POOL_2D": (1, _pool),
    "FULLY_CONNECTED": (2, _fully_connected),
    "BATCH_MATMUL": (2, _batch_matmul),
    "RESIZE_BILINEAR": (2, _resize),
    "RESIZE_NEAREST_NEIGHBOR": (2, _resize),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (5, _sequence),
    "ADD_N": (1, _add_n),
    "ARG_MAX": (2, _arg),
    "ARG_MIN": (2, _arg),
    **dict.fromkeys(("SELECT", "SELECT_V2"), (3, _select)),
    **dict.fromkeys(REDUCTIONS, (2, _reduce)),
    **dict.fromkeys(BINARY_KINDS, (2, _binary)),
    **dict.fromkeys(ELEMENTWISE_KINDS, (1, _same)),
}
"""By the kind of operator: how many operands it needs, and its rule, which gives None where an
operand that decides is not known, and raises IndexError or ValueError where they do not fit."""
