"""The nodes of each kind of operator: one function for each kind, in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.graph import Reduction, Window
from tflite_sparse.xnnpack.stages.define.node_builder import (
    BOUNDS,
    UNBOUNDED,
    activation_bounds,
    pair_option,
)
from tflite_sparse.xnnpack.stages.define.products import (
    convolution,
    depthwise_convolution,
    fully_connected,
    matrix_product,
    mediapipe_deconvolution,
    transpose_convolution,
)
from tflite_sparse.xnnpack.stages.delegate.operators import BINARY, UNARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator
    from tflite_sparse.xnnpack.stages.define.node_builder import NodeBuilder

__all__ = ["DEFINE"]


def _unary(builder: NodeBuilder, op: Operator) -> None:
    node = builder.add("unary", op, builder.inputs(op, 0), builder.outputs(op))
    node.function = UNARY[op.name]
    if op.name == "GELU" and op.option("approximate", False):
        node.function = "approxgelu"
    node.clamp = BOUNDS.get(op.name, UNBOUNDED)


def _binary(builder: NodeBuilder, op: Operator) -> None:
    node = builder.add("binary", op, builder.inputs(op, 0, 1), builder.outputs(op))
    node.function = BINARY[op.name]
    if op.name in ("ADD", "DIV", "MUL", "SUB"):
        builder.clamp(node, activation_bounds(op))


def _pool(builder: NodeBuilder, op: Operator) -> None:
    kernel = pair_option(op, "filter_height", "filter_width")
    average = op.name == "AVERAGE_POOL_2D"
    node = builder.add(
        "average_pool" if average else "max_pool", op, builder.inputs(op, 0), builder.outputs(op)
    )
    node.clamp = activation_bounds(op)
    node.window = Window(
        kernel=kernel,
        stride=pair_option(op, "stride_h", "stride_w"),
        same=op.option("padding", "SAME") == "SAME",
    )
    if kernel == (1, 1):
        node.kind, node.function = "unary", "clamp"
        builder.graph.step(op, "define-clamp-pool")


def _numbers(op: Operator, operand: int) -> tuple[int, ...]:
    tensor = op.inputs[operand] if operand < len(op.inputs) else None
    data = None if tensor is None else tensor.data
    return () if data is None else tuple(int(n) for n in data.reshape(-1))


def _reduce(builder: NodeBuilder, op: Operator) -> None:
    node = builder.add("reduce", op, builder.inputs(op, 0), builder.outputs(op))
    node.function = op.name.lower().removeprefix("reduce_")
    node.reduction = Reduction(_numbers(op, 1), bool(op.option("keep_dims", False)))


def _reshape(builder: NodeBuilder, op: Operator) -> None:
    stated = op.option("new_shape")
    given = () if stated is None else tuple(int(n) for n in stated)
    wanted = _numbers(op, 1) if len(op.inputs) > 1 else given
    node = builder.add("reshape", op, builder.inputs(op, 0), builder.outputs(op))
    node.numbers = tuple(0 if n == -1 else n for n in wanted)


def _with_numbers(kind: str, operand: int) -> Callable[[NodeBuilder, Operator], None]:
    def make(builder: NodeBuilder, op: Operator) -> None:
        builder.add(kind, op, builder.inputs(op, 0), builder.outputs(op)).numbers = _numbers(
            op, operand
        )

    return make


def _with_option(kind: str, option: str) -> Callable[[NodeBuilder, Operator], None]:
    def make(builder: NodeBuilder, op: Operator) -> None:
        node = builder.add(kind, op, builder.inputs(op), builder.outputs(op))
        node.numbers = (int(op.option(option, 0)),) if option else ()

    return make


def _split(builder: NodeBuilder, op: Operator) -> None:
    builder.add("split", op, builder.inputs(op, 1), builder.outputs(op)).numbers = _numbers(op, 0)


def _variable(builder: NodeBuilder, op: Operator) -> None:
    assigns = op.name == "ASSIGN_VARIABLE"
    handle, value = builder.variable(op), op.inputs[1] if assigns else op.outputs[0]
    if value is not None:
        pair = [builder.value_of(value), handle] if assigns else [handle, builder.value_of(value)]
        builder.add("copy", op, pair[:1], pair[1:])


DEFINE: dict[str, Callable[[NodeBuilder, Operator], None]] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    "ASSIGN_VARIABLE": _variable,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "BATCH_MATMUL": matrix_product,
    "CONCATENATION": _with_option("concatenate", "axis"),
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": depthwise_convolution,
    "DEPTH_TO_SPACE": _with_option("depth_to_space", "block_size"),
    "SPACE_TO_DEPTH": _with_option("space_to_depth", "block_size"),
    "FULLY_CONNECTED": fully_connected,
    "PAD": _with_numbers("pad", 1),
    "READ_VARIABLE": _variable,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _with_numbers("resize", 1),
    "SLICE": _with_numbers("slice", 2),
    "SOFTMAX": _with_option("softmax", ""),
    "SPLIT": _split,
    "STRIDED_SLICE": _with_numbers("slice", 2),
    "TRANSPOSE": _with_numbers("transpose", 1),
    "TRANSPOSE_CONV": transpose_convolution,
    "VAR_HANDLE": lambda *_: None,
    "Convolution2DTransposeBias": mediapipe_deconvolution,
    "MaxPoolingWithArgmax2D": _with_option("argmax_pool", ""),
    "MaxUnpooling2D": _with_option("unpool", ""),
}
"""What makes the nodes of each kind of operator that the delegate takes."""
