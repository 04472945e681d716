"""AVERAGE_POOL_2D in the sparse layout, which has no operator for it: a depthwise convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.forms.convolutions import window_refusal
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import ACTIVATIONS, is_map, present
from tflite_sparse.rewrite.adapt.window import placed_window, window_of
from tflite_sparse.rewrite.adapt.window_fit import fit_kernel, set_window, window_size

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["average_pool_refusal", "make_average_pool"]


def average_pool_refusal(operator: Operator, context: Context) -> str | None:
    """Why an AVERAGE_POOL_2D has no sparse form."""
    placed = placed_window(operator)
    if placed is None or not is_map(operator.inputs[0]):
        return "has no known size"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form as a depthwise convolution only, with pass {CANONICALIZE.name}"
    if not (placed.rows.inside and placed.columns.inside):
        return "averages fewer cells at the border"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return "has an activation that XNNPACK does not take"
    return window_refusal(placed, context)


def make_average_pool(operator: Operator, context: Context) -> Applied:
    """Makes an average pooling a depthwise convolution."""
    editor = context.editor
    placed = window_of(operator)
    rows, columns = placed.axes(context.mirrored)
    size = present(window_size(rows, columns))
    source, result = placed.source, operator.outputs[0]
    channels = source.shape[3]
    share = np.float32(1 / (rows.kernel * columns.kernel))
    kernel = np.full((1, rows.kernel, columns.kernel, channels), share, np.float32)
    filters = editor.constant(fit_kernel(kernel, rows, columns, size), f"{result.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{result.name}/bias")
    depthwise = editor.before(
        operator,
        "DEPTHWISE_CONV_2D",
        [source, filters, bias],
        [result],
        depth_multiplier=1,
        fused_activation_function=operator.option("fused_activation_function", "NONE"),
    )
    editor.drop(operator)
    set_window(depthwise, context, source, rows.stride, size)
    return Applied("became a depthwise convolution", "pooling has no sparse form")
