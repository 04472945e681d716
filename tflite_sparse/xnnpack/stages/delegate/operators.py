"""Which operators the delegate takes: one check for each kind, in a table.

Source of all of them: tflite/delegates/xnnpack/xnnpack_delegate.cc, VisitNode and the function that
it calls for the kind.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.stages.delegate.operand_checks import (
    FLOAT,
    FLOAT_OR_Q8,
    MAX_RANK,
    OperandChecks,
    Refused,
)
from tflite_sparse.xnnpack.stages.delegate.products import (
    convolution,
    fully_connected,
    matrix_product,
    mediapipe_deconvolution,
    transpose_convolution,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator
    from tflite_sparse.xnnpack.plan_types import Reason
    from tflite_sparse.xnnpack.releases.runtimes import Runtime
    from tflite_sparse.xnnpack.stages.delegate.operand_checks import UnpackedConstants
    from tflite_sparse.xnnpack.stages.delegate.variables import Variables

__all__ = ["BINARY", "UNARY", "refusal"]

_F32_OR_Q8 = FLOAT_OR_Q8 - {"FLOAT16"}

UNARY = {
    "ABS": "abs", "CEIL": "ceiling", "COS": "cosine", "DEQUANTIZE": "convert", "ELU": "elu",
    "EXP": "exp", "FLOOR": "floor", "GELU": "gelu", "HARD_SWISH": "hardswish",
    "LEAKY_RELU": "leaky_relu", "LOG": "log", "LOGISTIC": "sigmoid", "NEG": "negate",
    "QUANTIZE": "convert", "RELU": "clamp", "RELU6": "clamp", "RELU_N1_TO_1": "clamp",
    "ROUND": "bankers_rounding", "RSQRT": "reciprocal_square_root", "SIN": "sine",
    "SQRT": "square_root", "SQUARE": "square", "TANH": "tanh",
}  # fmt: skip
"""Elementwise operators with one input, and what XNNPACK calls them."""

BINARY = {
    "ADD": "add", "DIV": "divide", "MAXIMUM": "maximum", "MINIMUM": "minimum", "MUL": "multiply",
    "PRELU": "prelu", "SQUARED_DIFFERENCE": "squared_difference", "SUB": "subtract",
}  # fmt: skip
"""Elementwise operators with two inputs, and what XNNPACK calls them."""

_QUANTIZED_UNARY = ("ELU", "LOGISTIC", "TANH", "LEAKY_RELU", "QUANTIZE")
_QUANTIZED_BINARY = ("ADD", "MUL", "SUB")


def refusal(
    op: Operator, static: UnpackedConstants, variables: Variables, runtime: Runtime
) -> Reason | None:
    """The rule by which the delegate does not take an operator, None where it takes it.

    Args:
        op: the operator.
        static: what is known about constants that are unpacked at load time.
        variables: what is known about resource variables.
        runtime: the release of the runtime.
    """
    checks = OperandChecks(op, static, variables, runtime)
    examine = _EXAMINE.get(op.custom_code or op.name)
    try:
        if examine is None or op.name in runtime.left_to_tflite:
            checks.refuse(
                "delegate-operator",
                "",
                op.custom_code or op.name,
                "an operator of XNNPACK",
                "is of a kind that XNNPACK does not take",
            )
        examine(checks)
    except Refused as refused:
        return refused.why
    return None


def _unary(check: OperandChecks) -> None:
    check.operands(1)
    source, result = check.input(0), check.output()
    check.rank(source, "input", 0, MAX_RANK)
    if check.op.name == "DEQUANTIZE":
        check.type(source, "input", ("INT8", "UINT8"))
        check.type(result, "output", FLOAT)
        return
    kinds = FLOAT_OR_Q8 if check.op.name in _QUANTIZED_UNARY else FLOAT
    check.type(source, "input", kinds)
    check.type(result, "output", kinds)
    if check.op.name == "LEAKY_RELU":
        alpha = check.op.option("alpha", 0.0)
        check.option("alpha", alpha, "a normal number", ok=math.isfinite(alpha) and alpha != 0)
    if check.op.name == "QUANTIZE" and source.type not in FLOAT:
        check.same_type(source, result)


def _binary(check: OperandChecks) -> None:
    check.operands(2)
    first, second, result = check.input(0), check.input(1), check.output()
    check.rank(first, "first input", 0, MAX_RANK)
    check.rank(second, "second input", 0, MAX_RANK)
    kinds = FLOAT_OR_Q8 if check.op.name in _QUANTIZED_BINARY else FLOAT
    check.type(first, "first input", kinds)
    check.type(second, "second input", kinds)
    check.type(result, "output", kinds)
    if check.op.name in _QUANTIZED_BINARY:
        check.same_type(first, second, result)
    if check.op.name == "PRELU":
        check.constant(second, "slope", unpacked=True)
    elif check.op.name in ("ADD", "DIV", "MUL", "SUB"):
        check.activation()


def _pool(check: OperandChecks) -> None:
    check.operands(1)
    average = check.op.name == "AVERAGE_POOL_2D"
    check.type(check.input(0), "input", FLOAT if average else _F32_OR_Q8)
    check.type(check.output(), "output", FLOAT if average else FLOAT_OR_Q8)
    check.positive("stride_h", "stride_w", "filter_height", "filter_width")
    for stride, size in (("stride_w", "filter_width"), ("stride_h", "filter_height")):
        step, width = check.op.option(stride, 0), check.op.option(size, 0)
        check.option(stride, step, f"at most the window, {width}", ok=step <= width)
    check.activation()


def _reduce(check: OperandChecks) -> None:
    check.operands(2)
    source, axes = check.input(0), check.input(1, "axes")
    check.type(source, "input")
    if len(axes.shape) > 1:
        check.vector(axes, "axes")
    count = len(check.numbers(axes, "axes"))
    check.option("axes", count, f"1 to {MAX_RANK} axes", ok=0 < count <= MAX_RANK)
    check.type(check.output(), "output")


def _pad(check: OperandChecks) -> None:
    check.operands(2)
    source, pads, result = check.input(0), check.input(1, "paddings"), check.output()
    check.type(source, "input")
    check.rank(source, "input", 1, MAX_RANK)
    numbers = check.numbers(pads, "paddings")
    check.option(
        "paddings",
        list(pads.shape),
        [len(source.shape), 2],
        ok=pads.shape == (len(source.shape), 2),
    )
    check.type(result, "output")
    check.rank(result, "output", 1, MAX_RANK)
    check.option("paddings", min(numbers, default=0), "at least 0", ok=min(numbers, default=0) >= 0)


def _reshape(check: OperandChecks) -> None:
    check.operands(1, 2)
    check.type(check.input(0), "input")
    check.rank(check.input(0), "input", 0, MAX_RANK)
    check.type(check.output(), "output")
    check.rank(check.output(), "output", 0, MAX_RANK)
    if len(check.op.inputs) > 1:
        shape = check.input(1, "shape")
        numbers = check.numbers(shape, "shape")
        check.vector(shape, "shape", squeeze=True)
    else:
        stated = check.op.option("new_shape")
        numbers = [] if stated is None else [int(n) for n in stated]
    legacy = numbers in ([0], [-1])
    check.option("shape", numbers, "no legacy scalar", ok=not legacy)


def _resize(check: OperandChecks) -> None:
    check.operands(2)
    check.type(check.input(0), "input", _F32_OR_Q8)
    check.rank(check.input(0), "input", 4)
    size = check.input(1, "size")
    check.vector(size, "size")
    numbers = check.numbers(size, "size")
    check.type(check.output(), "output")
    check.rank(check.output(), "output", 4)
    check.option("size", numbers, "more than 0", ok=numbers[:1] > [0])


def _slice(check: OperandChecks) -> None:
    begin, size = check.input(1, "begin"), check.input(2, "size")
    kinds = ("INT32", "INT64")
    for tensor, name in ((begin, "begin"), (size, "size")):
        check.vector(tensor, name)
        check.numbers(tensor, name, kinds)
    check.type(check.input(0), "input")
    check.type(check.output(), "output")
    sizes = check.numbers(size, "size", kinds)
    check.option("size", sizes, "more than 0", ok=min(sizes, default=1) > 0)


def _strided_slice(check: OperandChecks) -> None:
    for mask in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask"):
        value = check.op.option(mask, 0)
        check.option(mask, value, 0, ok=value == 0)
    for index, name in ((3, "strides"), (1, "begin"), (2, "end")):
        check.vector(check.input(index, name), name)
        check.numbers(check.input(index, name), name)
    steps = check.numbers(check.input(3, "strides"), "strides")
    check.option("strides", steps, "all 1", ok=set(steps) <= {1})
    check.option(
        "begin", len(steps), len(check.input(0).shape), ok=len(steps) == len(check.input(0).shape)
    )
    check.type(check.input(0), "input")
    check.type(check.output(), "output")


def _softmax(check: OperandChecks) -> None:
    beta = check.op.option("beta", 0.0)
    check.option("beta", beta, 1.0, ok=beta == 1.0)
    check.operands(1)
    check.type(check.input(0), "input", FLOAT)
    check.type(check.output(), "output", FLOAT)


def _concatenation(check: OperandChecks) -> None:
    check.operands(2, check.runtime.max_concatenation)
    check.type(check.output(), "output")
    axis = check.op.option("axis", 0)
    for index in range(len(check.op.inputs)):
        tensor = check.input(index)
        check.option("axis", axis, "an axis of every input", ok=axis < len(tensor.shape))
        check.type(tensor, f"input {index}")


def _split(check: OperandChecks) -> None:
    count = len(check.op.outputs)
    check.operands(2, outputs=count)
    check.option(
        "outputs",
        count,
        f"2 to {check.runtime.max_split}",
        ok=2 <= count <= check.runtime.max_split,  # noqa: PLR2004 - as the text says
    )
    check.numbers(check.input(0, "axis"), "axis")
    check.type(check.input(1), "input")
    for index in range(count):
        check.type(check.output(index), "output")


def _transpose(check: OperandChecks) -> None:
    check.operands(2)
    check.type(check.input(0), "input")
    check.rank(check.input(0), "input", 1, MAX_RANK)
    check.constant(check.input(1, "perm"), "perm")


def _depth_to_space(check: OperandChecks) -> None:
    check.operands(1)
    check.type(
        check.input(0), "input", FLOAT_OR_Q8 if check.op.name == "DEPTH_TO_SPACE" else _F32_OR_Q8
    )
    check.type(check.output(), "output")
    block = check.op.option("block_size", 0)
    check.option("block_size", block, "more than 1", ok=block > 1)


def _mediapipe_pool(check: OperandChecks) -> None:
    check.operands(1, outputs=2)
    check.type(check.input(0), "input", ("FLOAT32",))
    check.type(check.output(), "output", ("FLOAT32",))


def _mediapipe_unpool(check: OperandChecks) -> None:
    check.operands(2)
    check.type(check.input(0), "input", ("FLOAT32",))
    check.type(check.output(), "output", ("FLOAT32",))


def _assign_variable(check: OperandChecks) -> None:
    value = check.input(1, "value")
    check.type(value, "value")
    check.variable(check.input(0, "handle"), value)


def _read_variable(check: OperandChecks) -> None:
    value = check.output()
    check.rank(value, "output", 1, MAX_RANK)
    check.type(value, "output")
    check.variable(check.input(0, "handle"), value)


_EXAMINE: dict[str, Callable[[OperandChecks], None]] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    "ASSIGN_VARIABLE": _assign_variable,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "BATCH_MATMUL": matrix_product,
    "CONCATENATION": _concatenation,
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _depth_to_space,
    "FULLY_CONNECTED": fully_connected,
    "PAD": _pad,
    "READ_VARIABLE": _read_variable,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": transpose_convolution,
    "Convolution2DTransposeBias": mediapipe_deconvolution,
    "MaxPoolingWithArgmax2D": _mediapipe_pool,
    "MaxUnpooling2D": _mediapipe_unpool,
}
