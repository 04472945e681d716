"""AVERAGE_POOL_2D in the sparse layout, which has no operator for it: a depthwise convolution.

Where a window looks over the border fewer cells are averaged. How many is a number for the row
times one for the column, so that two multiplications by constants set it right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.forms.convolutions import window_refusal
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import ACTIVATIONS, RANK, is_map, present
from tflite_sparse.rewrite.adapt.window import placed_window, window_of
from tflite_sparse.rewrite.adapt.window_fit import fit_kernel, set_window, window_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.window import Axis

__all__ = ["average_pool_refusal", "make_average_pool"]


def average_pool_refusal(operator: Operator, context: Context) -> str | None:
    """Why an AVERAGE_POOL_2D has no sparse form."""
    placed = placed_window(operator)
    if placed is None or not is_map(operator.inputs[0]):
        return "has no known size"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form as a depthwise convolution only, with pass {CANONICALIZE.name}"
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
    factors = [
        np.expand_dims(_factors(axis), tuple(n for n in range(RANK) if n != number))
        for number, axis in ((1, rows), (2, columns))
        if not axis.inside
    ]
    activation = operator.option("fused_activation_function", "NONE")
    sums = editor.value(result.shape, result, f"{result.name}/sums") if factors else result
    depthwise = editor.before(
        operator,
        "DEPTHWISE_CONV_2D",
        [source, filters, bias],
        [sums],
        depth_multiplier=1,
        fused_activation_function="NONE" if factors else activation,
    )
    for number, factor in enumerate(factors):
        last = number == len(factors) - 1
        scaled = result if last else editor.value(result.shape, result, f"{result.name}/scaled")
        constant = editor.constant(factor, f"{scaled.name}/factor")
        fused = activation if last else "NONE"
        editor.before(operator, "MUL", [constant, sums], [scaled], fused_activation_function=fused)
        sums = scaled
    editor.drop(operator)
    set_window(depthwise, context, source, rows.stride, size)
    what = "became a depthwise convolution"
    if factors:
        what += ", with factors for the border"
    return Applied(what, "pooling has no sparse form")


def _factors(axis: Axis) -> NDArray[np.float32]:
    """By what sums along an axis are to be multiplied where cells lie beyond the border."""
    first = np.arange(axis.outputs) * axis.stride - axis.before
    cells = np.minimum(first + axis.kernel, axis.size) - np.maximum(first, 0)
    return (axis.kernel / cells).astype(np.float32)
