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
    Refused,
    Visit,
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
    from tflite_sparse.xnnpack.releases.targets import Runtime
    from tflite_sparse.xnnpack.stages.delegate.operand_checks import Static

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


def refusal(op: Operator, static: Static, runtime: Runtime) -> Reason | None:
    """The rule by which the delegate does not take an operator, None where it takes it.

    Args:
        op: the operator.
        static: what is known about constants that are unpacked at load time.
        runtime: the release of the runtime.
    """
    visit = Visit(op, static, runtime)
    check = _CHECKS.get(op.custom_code or op.name)
    try:
        if check is None:
            visit.refuse(
                "delegate-operator",
                "",
                op.custom_code or op.name,
                "an operator of XNNPACK",
                "is of a kind that XNNPACK does not take",
            )
        check(visit)
    except Refused as refused:
        return refused.why
    return None


def _unary(v: Visit) -> None:
    v.operands(1)
    source, result = v.input(0), v.output()
    v.rank(source, "input", 0, MAX_RANK)
    if v.op.name == "DEQUANTIZE":
        v.type(source, "input", ("INT8", "UINT8"))
        v.type(result, "output", FLOAT)
        return
    kinds = FLOAT_OR_Q8 if v.op.name in _QUANTIZED_UNARY else FLOAT
    v.type(source, "input", kinds)
    v.type(result, "output", kinds)
    if v.op.name == "LEAKY_RELU":
        alpha = v.op.option("alpha", 0.0)
        v.option("alpha", alpha, "a normal number", ok=math.isfinite(alpha) and alpha != 0)
    if v.op.name == "QUANTIZE" and source.type not in FLOAT:
        v.same_type(source, result)


def _binary(v: Visit) -> None:
    v.operands(2)
    first, second, result = v.input(0), v.input(1), v.output()
    v.rank(first, "first input", 0, MAX_RANK)
    v.rank(second, "second input", 0, MAX_RANK)
    kinds = FLOAT_OR_Q8 if v.op.name in _QUANTIZED_BINARY else FLOAT
    v.type(first, "first input", kinds)
    v.type(second, "second input", kinds)
    v.type(result, "output", kinds)
    if v.op.name in _QUANTIZED_BINARY:
        v.same_type(first, second, result)
    if v.op.name == "PRELU":
        v.constant(second, "slope", unpacked=True)
    elif v.op.name in ("ADD", "DIV", "MUL", "SUB"):
        v.activation()


def _pool(v: Visit) -> None:
    v.operands(1)
    average = v.op.name == "AVERAGE_POOL_2D"
    v.type(v.input(0), "input", FLOAT if average else _F32_OR_Q8)
    v.type(v.output(), "output", FLOAT if average else FLOAT_OR_Q8)
    v.positive("stride_h", "stride_w", "filter_height", "filter_width")
    for stride, size in (("stride_w", "filter_width"), ("stride_h", "filter_height")):
        step, width = v.op.option(stride, 0), v.op.option(size, 0)
        v.option(stride, step, f"at most the window, {width}", ok=step <= width)
    v.activation()


def _reduce(v: Visit) -> None:
    v.operands(2)
    source, axes = v.input(0), v.input(1, "axes")
    v.type(source, "input")
    if len(axes.shape) > 1:
        v.vector(axes, "axes")
    count = len(v.numbers(axes, "axes"))
    v.option("axes", count, f"1 to {MAX_RANK} axes", ok=0 < count <= MAX_RANK)
    v.type(v.output(), "output")


def _pad(v: Visit) -> None:
    v.operands(2)
    source, pads, result = v.input(0), v.input(1, "paddings"), v.output()
    v.type(source, "input")
    v.rank(source, "input", 1, MAX_RANK)
    numbers = v.numbers(pads, "paddings")
    v.option(
        "paddings",
        list(pads.shape),
        [len(source.shape), 2],
        ok=pads.shape == (len(source.shape), 2),
    )
    v.type(result, "output")
    v.rank(result, "output", 1, MAX_RANK)
    v.option("paddings", min(numbers, default=0), "at least 0", ok=min(numbers, default=0) >= 0)


def _reshape(v: Visit) -> None:
    v.operands(1, 2)
    v.type(v.input(0), "input")
    v.rank(v.input(0), "input", 0, MAX_RANK)
    v.type(v.output(), "output")
    v.rank(v.output(), "output", 0, MAX_RANK)
    if len(v.op.inputs) > 1:
        shape = v.input(1, "shape")
        numbers = v.numbers(shape, "shape")
        v.vector(shape, "shape", squeeze=True)
    else:
        stated = v.op.option("new_shape")
        numbers = [] if stated is None else [int(n) for n in stated]
    legacy = numbers in ([0], [-1])
    v.option("shape", numbers, "no legacy scalar", ok=not legacy)


def _resize(v: Visit) -> None:
    v.operands(2)
    v.type(v.input(0), "input", _F32_OR_Q8)
    v.rank(v.input(0), "input", 4)
    size = v.input(1, "size")
    v.vector(size, "size")
    numbers = v.numbers(size, "size")
    v.type(v.output(), "output")
    v.rank(v.output(), "output", 4)
    v.option("size", numbers, "more than 0", ok=numbers[:1] > [0])


def _slice(v: Visit) -> None:
    begin, size = v.input(1, "begin"), v.input(2, "size")
    kinds = ("INT32", "INT64")
    for tensor, name in ((begin, "begin"), (size, "size")):
        v.vector(tensor, name)
        v.numbers(tensor, name, kinds)
    v.type(v.input(0), "input")
    v.type(v.output(), "output")
    sizes = v.numbers(size, "size", kinds)
    v.option("size", sizes, "more than 0", ok=min(sizes, default=1) > 0)


def _strided_slice(v: Visit) -> None:
    for mask in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask"):
        value = v.op.option(mask, 0)
        v.option(mask, value, 0, ok=value == 0)
    for index, name in ((3, "strides"), (1, "begin"), (2, "end")):
        v.vector(v.input(index, name), name)
        v.numbers(v.input(index, name), name)
    steps = v.numbers(v.input(3, "strides"), "strides")
    v.option("strides", steps, "all 1", ok=set(steps) <= {1})
    v.option("begin", len(steps), len(v.input(0).shape), ok=len(steps) == len(v.input(0).shape))
    v.type(v.input(0), "input")
    v.type(v.output(), "output")


def _softmax(v: Visit) -> None:
    beta = v.op.option("beta", 0.0)
    v.option("beta", beta, 1.0, ok=beta == 1.0)
    v.operands(1)
    v.type(v.input(0), "input", FLOAT)
    v.type(v.output(), "output", FLOAT)


def _concatenation(v: Visit) -> None:
    v.operands(2, v.runtime.max_concatenation)
    v.type(v.output(), "output")
    axis = v.op.option("axis", 0)
    for index in range(len(v.op.inputs)):
        tensor = v.input(index)
        v.option("axis", axis, "an axis of every input", ok=axis < len(tensor.shape))
        v.type(tensor, f"input {index}")


def _split(v: Visit) -> None:
    count = len(v.op.outputs)
    v.operands(2, outputs=count)
    v.option("outputs", count, f"2 to {v.runtime.max_split}", ok=2 <= count <= v.runtime.max_split)  # noqa: PLR2004
    v.numbers(v.input(0, "axis"), "axis")
    v.type(v.input(1), "input")
    for index in range(count):
        v.type(v.output(index), "output")


def _transpose(v: Visit) -> None:
    v.operands(2)
    v.type(v.input(0), "input")
    v.rank(v.input(0), "input", 1, MAX_RANK)
    v.constant(v.input(1, "perm"), "perm")


def _depth_to_space(v: Visit) -> None:
    v.operands(1)
    v.type(v.input(0), "input", FLOAT_OR_Q8 if v.op.name == "DEPTH_TO_SPACE" else _F32_OR_Q8)
    v.type(v.output(), "output")
    block = v.op.option("block_size", 0)
    v.option("block_size", block, "more than 1", ok=block > 1)


def _mediapipe_pool(v: Visit) -> None:
    v.operands(1, outputs=2)
    v.type(v.input(0), "input", ("FLOAT32",))
    v.type(v.output(), "output", ("FLOAT32",))


def _mediapipe_unpool(v: Visit) -> None:
    v.operands(2)
    v.type(v.input(0), "input", ("FLOAT32",))
    v.type(v.output(), "output", ("FLOAT32",))


_CHECKS: dict[str, Callable[[Visit], None]] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
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
