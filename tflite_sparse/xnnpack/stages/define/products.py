"""The nodes of convolutions and matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.xnnpack.graph import Window
from tflite_sparse.xnnpack.stages.define.node_builder import activation_bounds, pair_option

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.xnnpack.stages.define.node_builder import NodeBuilder

__all__ = [
    "convolution",
    "depthwise_convolution",
    "fully_connected",
    "matrix_product",
    "mediapipe_deconvolution",
    "transpose_convolution",
]


def convolution(builder: NodeBuilder, op: Operator) -> None:
    """CONV_2D."""
    source, filt, *bias = builder.inputs(op, 0, 1, 2)
    outputs, height, width, inputs = filt.shape
    groups = source.shape[3] // inputs
    window = Window(
        kernel=(height, width),
        stride=pair_option(op, "stride_h", "stride_w"),
        dilation=pair_option(op, "dilation_h_factor", "dilation_w_factor"),
        same=op.option("padding", "SAME") == "SAME",
        groups=groups,
        inputs=inputs,
        outputs=outputs // groups,
    )
    explicit = window.explicit()
    product = explicit.pointwise and inputs + outputs > 2  # noqa: PLR2004 - 1 to 1 stays as it is
    if explicit is not window and not product:
        builder.graph.step(op, "define-explicit-padding")
    if product:
        builder.graph.step(op, "define-fully-connected")
    source = builder.quantized(op, source, filt)
    kind = "fully_connected" if product else "convolution"
    node = builder.add(kind, op, [source, filt, *bias], builder.outputs(op))
    node.window, node.clamp = explicit, activation_bounds(op)


def depthwise_convolution(builder: NodeBuilder, op: Operator) -> None:
    """DEPTHWISE_CONV_2D."""
    source, filt, *bias = builder.inputs(op, 0, 1, 2)
    _, height, width, outputs = filt.shape
    multiplier = int(op.option("depth_multiplier", 1))
    window = Window(
        kernel=(height, width),
        stride=pair_option(op, "stride_h", "stride_w"),
        dilation=pair_option(op, "dilation_h_factor", "dilation_w_factor"),
        same=op.option("padding", "SAME") == "SAME",
        groups=outputs // multiplier,
        inputs=1,
        outputs=multiplier,
        multiplier=multiplier,
    )
    explicit = window.explicit()
    if explicit is not window:
        builder.graph.step(op, "define-explicit-padding")
    node = builder.add("depthwise", op, [source, filt, *bias], builder.outputs(op))
    node.window, node.clamp = explicit, activation_bounds(op)


def fully_connected(builder: NodeBuilder, op: Operator) -> None:
    """FULLY_CONNECTED."""
    source, filt, *bias = builder.inputs(op, 0, 1, 2)
    channels = filt.shape[1]
    flattens = not op.option("keep_num_dims", False)
    if flattens and builder.graph.runtime.reshapes_for_fully_connected:
        flat = builder.graph.value((source.size // channels, channels), source.type)
        builder.add("reshape", op, [source], [flat]).numbers = (0, channels)
        source = flat
    source = builder.quantized(op, source, filt)
    node = builder.add("fully_connected", op, [source, filt, *bias], builder.outputs(op))
    node.clamp = activation_bounds(op)
    if flattens:
        node.numbers = (0, channels)


def transpose_convolution(builder: NodeBuilder, op: Operator) -> None:
    """TRANSPOSE_CONV."""
    filt, source, *bias = builder.inputs(op, 1, 2, 3)
    source = builder.quantized(op, source, filt)
    node = builder.add("deconvolution", op, [source, filt, *bias], builder.outputs(op))
    node.window = Window(
        kernel=(filt.shape[1], filt.shape[2]), stride=pair_option(op, "stride_h", "stride_w")
    )


def mediapipe_deconvolution(builder: NodeBuilder, op: Operator) -> None:
    """MediaPipe's Convolution2DTransposeBias."""
    source, filt, *bias = builder.inputs(op, 0, 1, 2)
    node = builder.add("deconvolution", op, [source, filt, *bias], builder.outputs(op))
    size = source.shape, builder.outputs(op)[0].shape
    # The custom options repeat what the shapes say: the stride is the enlargement.
    stride = tuple(max(1, round(size[1][i] / size[0][i])) for i in (1, 2))
    node.window = Window(kernel=(filt.shape[1], filt.shape[2]), stride=(stride[0], stride[1]))


def matrix_product(builder: NodeBuilder, op: Operator) -> None:
    """BATCH_MATMUL."""
    first, second = builder.inputs(op, 0, 1)
    if op.option("adj_x", False):
        *outer, rows, columns = first.shape
        transposed = builder.graph.value((*outer, columns, rows), first.type)
        axes = range(len(first.shape))
        builder.add("transpose", op, [first], [transposed]).numbers = (
            *axes[:-2],
            axes[-1],
            axes[-2],
        )
        first = transposed
    first = builder.quantized(op, first, second)
    builder.add("matrix_product", op, [first, second], builder.outputs(op))
