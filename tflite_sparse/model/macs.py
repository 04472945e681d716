"""How many multiplications with a sum an operator does: the usual measure of its cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model.operator import Operator

__all__ = ["macs"]

Shape = tuple[int, ...]


def macs(operator: Operator) -> int:
    """Multiply-accumulate operations of one run of an operator.

    Counts convolutions, matrix products and recurrent cells by the shapes that the file states, a
    dynamic size as it stands there; zeros in the weights count like any other value. 0 for every
    other operator, and where a shape is missing or makes no sense for the operator.

    Args:
        operator: any operator.
    """
    rule = _RULES.get(operator.custom_code or operator.name)
    if rule is None:
        return 0
    shapes = [() if tensor is None else tensor.shape for tensor in operator.inputs]
    output = operator.outputs[0].shape if operator.outputs else ()
    if any(size < 0 for shape in (*shapes, output) for size in shape):
        return 0
    try:
        return rule(operator, shapes, output)
    except IndexError:
        return 0


def _conv_2d(_: Operator, inputs: list[Shape], output: Shape) -> int:
    # Filter OHWI: with groups its I is the channels of one group.
    _out, height, width, channels = _rank(inputs[1], 4)
    return math.prod(_rank(output, 4)) * height * width * channels


def _depthwise_conv_2d(_: Operator, inputs: list[Shape], output: Shape) -> int:
    _one, height, width, _channels = _rank(inputs[1], 4)
    return math.prod(_rank(output, 4)) * height * width


def _transpose_conv(_: Operator, inputs: list[Shape], __: Shape) -> int:
    # Inputs: output shape, filter OHWI, feature map; every input value meets the whole filter.
    channels, height, width, _in = _rank(inputs[1], 4)
    return math.prod(_rank(inputs[2], 4)) * height * width * channels


def _transpose_conv_bias(_: Operator, inputs: list[Shape], __: Shape) -> int:
    # MediaPipe's custom operator: feature map, filter OHWI, bias.
    channels, height, width, _in = _rank(inputs[1], 4)
    return math.prod(_rank(inputs[0], 4)) * height * width * channels


def _conv_3d(_: Operator, inputs: list[Shape], output: Shape) -> int:
    # Filter DHWIO.
    depth, height, width, channels, _out = _rank(inputs[1], 5)
    return math.prod(_rank(output, 5)) * depth * height * width * channels


def _conv_3d_transpose(_: Operator, inputs: list[Shape], __: Shape) -> int:
    # Inputs: output shape, filter DHWOI, feature map.
    depth, height, width, channels, _in = _rank(inputs[1], 5)
    return math.prod(_rank(inputs[2], 5)) * depth * height * width * channels


def _fully_connected(_: Operator, inputs: list[Shape], output: Shape) -> int:
    # Filter (units, depth).
    return math.prod(output) * _rank(inputs[1], 2)[1]


def _batch_matmul(operator: Operator, inputs: list[Shape], output: Shape) -> int:
    left = inputs[0]
    depth = left[-2] if operator.option("adj_x", default=False) else left[-1]
    return math.prod(output) * depth


def _recurrent(operator: Operator, inputs: list[Shape], _: Shape) -> int:
    # Every matrix among the operands is multiplied once a time step and sequence; states, which
    # are matrices too, are variable tensors.
    steps = math.prod(inputs[0][:-1])
    matrices = (
        tensor.shape
        for tensor in operator.inputs[1:]
        if tensor is not None and not tensor.is_variable and len(tensor.shape) == 2  # noqa: PLR2004 - a matrix
    )
    return steps * sum(math.prod(shape) for shape in matrices)


def _svdf(_: Operator, inputs: list[Shape], __: Shape) -> int:
    # Inputs: (batch, features), feature weights (filters, features), time weights (filters, time).
    batch = _rank(inputs[0], 2)[0]
    return batch * (math.prod(_rank(inputs[1], 2)) + math.prod(_rank(inputs[2], 2)))


def _rank(shape: Shape, rank: int) -> Shape:
    if len(shape) != rank:
        raise IndexError
    return shape


_RULES: dict[str, Callable[[Operator, list[Shape], Shape], int]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "TRANSPOSE_CONV": _transpose_conv,
    "Convolution2DTransposeBias": _transpose_conv_bias,
    "CONV_3D": _conv_3d,
    "CONV_3D_TRANSPOSE": _conv_3d_transpose,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "RNN": _recurrent,
    "LSTM": _recurrent,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _recurrent,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
    "BIDIRECTIONAL_SEQUENCE_RNN": _recurrent,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _recurrent,
    "SVDF": _svdf,
}
