"""The version of an operator, as LiteRT's converter gives it.

The rules are those of tflite/converter/tools/versioning/op_version.cc in the LiteRT repository, for
the operators and types that the tests build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.nets.builder import Value

__all__ = ["operator_version"]

# The operators that took int8 with their second version, and nothing else that matters here.
_INT8_IS_2 = frozenset(
    {
        "ABS",
        "ADD",
        "ARG_MAX",
        "ARG_MIN",
        "AVERAGE_POOL_2D",
        "BATCH_MATMUL",
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "EQUAL",
        "EXP",
        "GATHER",
        "GREATER",
        "GREATER_EQUAL",
        "L2_NORMALIZATION",
        "LESS",
        "LESS_EQUAL",
        "LOG",
        "LOGISTIC",
        "LOG_SOFTMAX",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MIRROR_PAD",
        "MUL",
        "NOT_EQUAL",
        "PACK",
        "PAD",
        "PADV2",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "REDUCE_PROD",
        "RELU",
        "RELU6",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "RSQRT",
        "SLICE",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "SPLIT_V",
        "SQRT",
        "SQUARED_DIFFERENCE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TOPK_V2",
        "TRANSPOSE",
        "UNPACK",
    }
)
# Versions that take more than four dimensions: of any operand, or where the operands broadcast.
_DEEP = {"PAD": 4, "PADV2": 4, "SLICE": 5, "STRIDED_SLICE": 4, "TRANSPOSE": 4}
_DEEP_BROADCAST = {"SUB": 3, "DIV": 2, "MINIMUM": 3, "MAXIMUM": 3}
_CLASSIC_RANK = 4


def operator_version(
    name: str,
    inputs: Sequence[Value | None],
    options: Any = None,
    *,
    sparse_weights: bool = False,
    per_channel: bool = False,
) -> int:
    """The least version that may be written for an operator.

    Args:
        name: its builtin name.
        inputs: its operands.
        options: its option table.
        sparse_weights: whether its second operand is stored sparse and read as it is.
        per_channel: whether its first operand is quantized by channel.
    """
    operands = [value for value in inputs if value is not None]
    if not operands:
        return 1
    if name == "FULLY_CONNECTED":
        return _fully_connected(inputs, options, sparse_weights=sparse_weights)
    if name == "DEQUANTIZE":
        int8 = 5 if per_channel else 2
        return {"FLOAT16": 3, "INT16": 3, "INT8": int8}.get(operands[0].type, 1)
    return _RULES[name](inputs, options) if name in _RULES else _by_type_and_rank(name, operands)


def _by_type_and_rank(name: str, operands: Sequence[Value]) -> int:
    first = operands[0]
    if name in _DEEP and len(first.shape) > _CLASSIC_RANK:
        return _DEEP[name]
    shapes = {value.shape for value in operands}
    if name in _DEEP_BROADCAST and len(shapes) > 1 and max(map(len, shapes)) > _CLASSIC_RANK:
        return _DEEP_BROADCAST[name]
    return 2 if name in _INT8_IS_2 and first.type == "INT8" else 1


def _type(inputs: Sequence[Value | None], operand: int) -> str:
    """The type of an operand; nothing where it is missing, as in models that are broken."""
    value = inputs[operand] if operand < len(inputs) else None
    return "" if value is None else value.type


def _conv_2d(inputs: Sequence[Value | None], options: Any) -> int:
    channels = {value.shape[3:] for value in inputs[:2] if value is not None}
    if len(channels) == 2 and () not in channels:
        return 6
    if _type(inputs, 1) == "INT8":
        return 3 if _type(inputs, 0) == "INT8" else 5
    return 1


def _depthwise(inputs: Sequence[Value | None], options: Any) -> int:
    if _type(inputs, 1) == "INT8":
        return 3 if _type(inputs, 0) == "INT8" else 6
    dilated = options is not None and (options.dilationHFactor, options.dilationWFactor) != (1, 1)
    return 2 if dilated else 1


def _transpose_conv(inputs: Sequence[Value | None], options: Any) -> int:
    if options is not None and options.fusedActivationFunction:
        return 4
    if _type(inputs, 3):
        return 3
    return 2 if _type(inputs, 1) == "INT8" else 1


def _fully_connected(inputs: Sequence[Value | None], options: Any, *, sparse_weights: bool) -> int:
    if sparse_weights:
        return 8
    if len(inputs) == 2:
        return 6
    if options is not None and options.keepNumDims:
        return 5
    if _type(inputs, 1) == "INT8":
        return 4 if _type(inputs, 0) == "INT8" else 3
    return 1


def _resize(inputs: Sequence[Value | None], options: Any) -> int:
    aligned = type(options).__name__.startswith("ResizeNearest") and options.alignCorners
    if options is not None and (options.halfPixelCenters or aligned):
        return 3
    return 2 if _type(inputs, 0) == "INT8" else 1


def _split(inputs: Sequence[Value | None], options: Any) -> int:
    return {"INT8": 2, "INT32": 3, "INT16": 4}.get(_type(inputs, 1), 1)


def _reverse(inputs: Sequence[Value | None], options: Any) -> int:
    return {"INT8": 3, "BOOL": 2}.get(_type(inputs, 0), 1)


_RULES = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SPLIT": _split,
    "REVERSE_V2": _reverse,
}
