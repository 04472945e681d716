"""The define stage: the nodes that each operator of a partition turns into.

Sources: tflite/delegates/xnnpack/xnnpack_delegate.cc, Subgraph::Create and the Visit... functions;
XNNPACK src/subgraph/*.c, the define functions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.graph import Graph, Node, Reduction, Value, Window
from tflite_sparse.xnnpack.stages.delegate.operand_checks import is_constant
from tflite_sparse.xnnpack.stages.delegate.operators import BINARY, UNARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation
    from tflite_sparse.xnnpack.stages.delegate.partition import Run

__all__ = ["define"]

_BOUNDS = {
    "RELU": (0.0, math.inf),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
_FREE = (-math.inf, math.inf)
_TYPES = {
    "FLOAT32": "f32", "FLOAT16": "f16", "INT8": "qs8", "UINT8": "qu8", "INT4": "qc4",
    "INT2": "qc2", "INT32": "i32",
}  # fmt: skip
_INTEGER_FILTERS = ("qs8", "qc8", "qc4", "qc2")


def define(run: Run, delegation: Delegation, *, fp16: bool = False) -> Graph:
    """Builds the graph of a partition.

    Args:
        run: the partition.
        delegation: what the delegate stage decided.
        fp16: whether arithmetic is done in half precision: values in between are then fp16, and
            inputs and outputs of the partition are converted.
    """
    builder = _Builder(run, delegation, fp16=fp16)
    builder.convert_inputs()
    for op in run.operators:
        if op.index not in delegation.unpacking:
            _DEFINE[op.custom_code or op.name](builder, op)
    builder.convert_outputs()
    graph = builder.graph
    # External values come first, then the other tensors, then what was put between.
    graph.values.sort(
        key=lambda v: (
            v.tensor is None,
            not (v.is_input or v.is_output),
            v.number if v.tensor is None else v.tensor.index,
        )
    )
    for number, value in enumerate(graph.values):
        value.number = number
    graph.link()
    return graph


class _Builder:
    """Makes values of tensors and nodes of operators."""

    def __init__(self, run: Run, delegation: Delegation, *, fp16: bool) -> None:
        self.graph = Graph()
        self._run = run
        self._fp16 = fp16
        self._delegation = delegation
        self._values: dict[int, Value] = {}

    def of(self, tensor: Tensor) -> Value:
        """The value of a tensor."""
        known = self._values.get(tensor.index)
        if known is None:
            known = self._values[tensor.index] = self._make(tensor)
        return known

    def _make(self, tensor: Tensor) -> Value:
        static = self._delegation.static
        kind = "f16" if tensor.index in static.halves else _TYPES.get(tensor.type, "other")
        quantization = tensor.quantization
        scales = None if quantization is None else quantization["scale"]
        if kind == "qs8" and scales is not None and len(scales) > 1:
            kind = "qc8"
        constant = is_constant(tensor) or static.is_unpacked(tensor)
        if self._fp16 and kind == "f32" and not constant:
            # What goes in or out is converted and keeps its type outside.
            return self.graph.value(tensor.shape, "f16", tensor=tensor)
        return self.graph.value(
            tensor.shape,
            kind,
            tensor=tensor,
            source=self._delegation.origins.get(tensor.index, tensor) if constant else None,
            is_static=constant,
            is_input=tensor.index in self._run.inputs and not constant,
            is_output=tensor.index in self._run.outputs and not constant,
        )

    def convert_inputs(self) -> None:
        """Converts what comes into the partition, where arithmetic is in half precision."""
        made = {t.index for op in self._run.operators for t in op.outputs}
        for op in self._run.operators if self._fp16 else ():
            for tensor in op.inputs:
                if tensor is None or tensor.index in self._values or tensor.index in made:
                    continue
                value = self.of(tensor)
                if value.type == "f16" and not value.is_static:
                    outside = self.graph.value(value.shape, "f32", is_input=True)
                    self.add("unary", op, [outside], [value]).function = "convert"

    def convert_outputs(self) -> None:
        """Converts what goes out of it."""
        for op in self._run.operators if self._fp16 else ():
            for tensor in op.outputs:
                value = self._values.get(tensor.index)
                if value is not None and value.type == "f16" and tensor.index in self._run.outputs:
                    outside = self.graph.value(value.shape, "f32", is_output=True)
                    self.add("unary", op, [value], [outside]).function = "convert"

    def ins(self, op: Operator, *operands: int) -> list[Value]:
        """The values of operands that are there; of all of them if none is named."""
        chosen = operands or tuple(range(len(op.inputs)))
        tensors = (op.inputs[i] for i in chosen if i < len(op.inputs))
        return [self.of(tensor) for tensor in tensors if tensor is not None]

    def outs(self, op: Operator) -> list[Value]:
        """The values of the outputs."""
        return [self.of(tensor) for tensor in op.outputs]

    def add(self, kind: str, op: Operator, inputs: list[Value], outputs: list[Value]) -> Node:
        """Adds a node."""
        return self.graph.node(Node(kind, op, inputs, outputs))

    def clamp(self, node: Node, bounds: tuple[float, float]) -> None:
        """Puts a clamp of its own behind a node."""
        if bounds == _FREE:
            return
        result = node.outputs[0]
        between = self.graph.value(result.shape, result.type)
        node.outputs[0] = between
        clamp = self.add("unary", node.operator, [between], [result])
        clamp.function, clamp.clamp = "clamp", bounds

    def quantized(self, op: Operator, source: Value, filt: Value) -> Value:
        """The activation as a matrix product with an integer filter reads it."""
        if source.type not in ("f32", "f16") or filt.type not in _INTEGER_FILTERS:
            return source
        converted = self.graph.value(source.shape, "qd8")
        self.add("unary", op, [source], [converted]).function = "convert"
        return converted


def _bounds(op: Operator) -> tuple[float, float]:
    return _BOUNDS.get(op.option("fused_activation_function", "NONE"), _FREE)


def _pair(op: Operator, height: str, width: str) -> tuple[int, int]:
    return int(op.option(height, 1)), int(op.option(width, 1))


def _unary(b: _Builder, op: Operator) -> None:
    node = b.add("unary", op, b.ins(op, 0), b.outs(op))
    node.function = UNARY[op.name]
    if op.name == "GELU" and op.option("approximate", False):
        node.function = "approxgelu"
    node.clamp = _BOUNDS.get(op.name, _FREE)


def _binary(b: _Builder, op: Operator) -> None:
    node = b.add("binary", op, b.ins(op, 0, 1), b.outs(op))
    node.function = BINARY[op.name]
    if op.name in ("ADD", "DIV", "MUL", "SUB"):
        b.clamp(node, _bounds(op))


def _convolution(b: _Builder, op: Operator) -> None:
    source, filt, *bias = b.ins(op, 0, 1, 2)
    outputs, height, width, inputs = filt.shape
    groups = source.shape[3] // inputs
    window = Window(
        kernel=(height, width),
        stride=_pair(op, "stride_h", "stride_w"),
        dilation=_pair(op, "dilation_h_factor", "dilation_w_factor"),
        same=op.option("padding", "SAME") == "SAME",
        groups=groups,
        inputs=inputs,
        outputs=outputs // groups,
    )
    explicit = window.explicit()
    product = explicit.pointwise and inputs + outputs > 2  # noqa: PLR2004 - 1 to 1 stays as it is
    if explicit is not window and not product:
        b.graph.step(op, "define-explicit-padding")
    if product:
        b.graph.step(op, "define-fully-connected")
    source = b.quantized(op, source, filt)
    kind = "fully_connected" if product else "convolution"
    node = b.add(kind, op, [source, filt, *bias], b.outs(op))
    node.window, node.clamp = explicit, _bounds(op)


def _depthwise(b: _Builder, op: Operator) -> None:
    source, filt, *bias = b.ins(op, 0, 1, 2)
    _, height, width, outputs = filt.shape
    multiplier = int(op.option("depth_multiplier", 1))
    window = Window(
        kernel=(height, width),
        stride=_pair(op, "stride_h", "stride_w"),
        dilation=_pair(op, "dilation_h_factor", "dilation_w_factor"),
        same=op.option("padding", "SAME") == "SAME",
        groups=outputs // multiplier,
        inputs=1,
        outputs=multiplier,
        multiplier=multiplier,
    )
    explicit = window.explicit()
    if explicit is not window:
        b.graph.step(op, "define-explicit-padding")
    node = b.add("depthwise", op, [source, filt, *bias], b.outs(op))
    node.window, node.clamp = explicit, _bounds(op)


def _fully_connected(b: _Builder, op: Operator) -> None:
    source, filt, *bias = b.ins(op, 0, 1, 2)
    channels = filt.shape[1]
    if not op.option("keep_num_dims", False):
        flat = b.graph.value((source.size // channels, channels), source.type)
        b.add("reshape", op, [source], [flat]).numbers = (0, channels)
        source = flat
    source = b.quantized(op, source, filt)
    node = b.add("fully_connected", op, [source, filt, *bias], b.outs(op))
    node.clamp = _bounds(op)


def _transpose_convolution(b: _Builder, op: Operator) -> None:
    filt, source, *bias = b.ins(op, 1, 2, 3)
    source = b.quantized(op, source, filt)
    node = b.add("deconvolution", op, [source, filt, *bias], b.outs(op))
    node.window = Window(
        kernel=(filt.shape[1], filt.shape[2]), stride=_pair(op, "stride_h", "stride_w")
    )


def _mediapipe_deconvolution(b: _Builder, op: Operator) -> None:
    source, filt, *bias = b.ins(op, 0, 1, 2)
    node = b.add("deconvolution", op, [source, filt, *bias], b.outs(op))
    size = source.shape, b.outs(op)[0].shape
    # The custom options repeat what the shapes say: the stride is the enlargement.
    stride = tuple(max(1, round(size[1][i] / size[0][i])) for i in (1, 2))
    node.window = Window(kernel=(filt.shape[1], filt.shape[2]), stride=(stride[0], stride[1]))


def _pool(b: _Builder, op: Operator) -> None:
    kernel = _pair(op, "filter_height", "filter_width")
    average = op.name == "AVERAGE_POOL_2D"
    node = b.add("average_pool" if average else "max_pool", op, b.ins(op, 0), b.outs(op))
    node.clamp = _bounds(op)
    node.window = Window(
        kernel=kernel,
        stride=_pair(op, "stride_h", "stride_w"),
        same=op.option("padding", "SAME") == "SAME",
    )
    if kernel == (1, 1):
        node.kind, node.function = "unary", "clamp"
        b.graph.step(op, "define-clamp-pool")


def _numbers(op: Operator, operand: int) -> tuple[int, ...]:
    tensor = op.inputs[operand] if operand < len(op.inputs) else None
    data = None if tensor is None else tensor.data
    return () if data is None else tuple(int(n) for n in data.reshape(-1))


def _reduce(b: _Builder, op: Operator) -> None:
    node = b.add("reduce", op, b.ins(op, 0), b.outs(op))
    node.function = op.name.lower().removeprefix("reduce_")
    node.reduction = Reduction(_numbers(op, 1), bool(op.option("keep_dims", False)))


def _reshape(b: _Builder, op: Operator) -> None:
    stated = op.option("new_shape")
    given = () if stated is None else tuple(int(n) for n in stated)
    wanted = _numbers(op, 1) if len(op.inputs) > 1 else given
    node = b.add("reshape", op, b.ins(op, 0), b.outs(op))
    node.numbers = tuple(0 if n == -1 else n for n in wanted)


def _with_numbers(kind: str, operand: int) -> Callable[[_Builder, Operator], None]:
    def make(b: _Builder, op: Operator) -> None:
        b.add(kind, op, b.ins(op, 0), b.outs(op)).numbers = _numbers(op, operand)

    return make


def _with_option(kind: str, option: str) -> Callable[[_Builder, Operator], None]:
    def make(b: _Builder, op: Operator) -> None:
        node = b.add(kind, op, b.ins(op), b.outs(op))
        node.numbers = (int(op.option(option, 0)),) if option else ()

    return make


def _split(b: _Builder, op: Operator) -> None:
    b.add("split", op, b.ins(op, 1), b.outs(op)).numbers = _numbers(op, 0)


def _matrix_product(b: _Builder, op: Operator) -> None:
    first, second = b.ins(op, 0, 1)
    if op.option("adj_x", False):
        *outer, rows, columns = first.shape
        turned = b.graph.value((*outer, columns, rows), first.type)
        axes = range(len(first.shape))
        b.add("transpose", op, [first], [turned]).numbers = (*axes[:-2], axes[-1], axes[-2])
        first = turned
    first = b.quantized(op, first, second)
    b.add("matrix_product", op, [first, second], b.outs(op))


_DEFINE: dict[str, Callable[[_Builder, Operator], None]] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "BATCH_MATMUL": _matrix_product,
    "CONCATENATION": _with_option("concatenate", "axis"),
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _with_option("depth_to_space", "block_size"),
    "SPACE_TO_DEPTH": _with_option("space_to_depth", "block_size"),
    "FULLY_CONNECTED": _fully_connected,
    "PAD": _with_numbers("pad", 1),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _with_numbers("resize", 1),
    "SLICE": _with_numbers("slice", 2),
    "SOFTMAX": _with_option("softmax", ""),
    "SPLIT": _split,
    "STRIDED_SLICE": _with_numbers("slice", 2),
    "TRANSPOSE": _with_numbers("transpose", 1),
    "TRANSPOSE_CONV": _transpose_convolution,
    "Convolution2DTransposeBias": _mediapipe_deconvolution,
    "MaxPoolingWithArgmax2D": _with_option("argmax_pool", ""),
    "MaxUnpooling2D": _with_option("unpool", ""),
}
