"""MAX_POOL_2D of 2x2 in the sparse layout, which has no operator for it: by sums.

One of a single cell, which Keras writes for a shortcut with a stride, picks that cell.

The larger of a and b is a + RELU(b - a). A depthwise convolution with stride 2 picks one cell of
every window, or gives out the difference of two. The result is off by rounding only, at most two
float steps of the largest value in the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import ACTIVATIONS, is_map
from tflite_sparse.rewrite.adapt.window import Axis, placed_window, window_of
from tflite_sparse.rewrite.adapt.window_fit import set_window

if TYPE_CHECKING:
    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.rewrite.adapt.window import Placed

__all__ = ["CONVOLUTIONS", "SUMS", "make_max_pool", "max_pool_refusal", "picks_cells"]

CONVOLUTIONS = 4
"""Depthwise convolutions that a pooling becomes."""

SUMS = 5
"""Other operators that it becomes, each of the size of its result."""

_SIZE = 3
_CELLS = 2


def max_pool_refusal(operator: Operator, context: Context) -> str | None:
    """Why a MAX_POOL_2D has no sparse form."""
    placed = placed_window(operator)
    if placed is None or not is_map(operator.inputs[0]):
        return "has no known size"
    axes = (placed.rows, placed.columns)
    picks = picks_cells(operator)
    if any((axis.kernel, axis.stride) != (_CELLS, _CELLS) for axis in axes) and not picks:
        return "has no sparse form, but for 2x2 with stride 2"
    if any(not axis.inside or axis.before for axis in axes):
        return "takes the largest of fewer cells at the border"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return "has an activation that XNNPACK does not take"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form in parts only, with pass {CANONICALIZE.name}"
    cells = ((0, 0),) if picks else ((0, 0), (1, 1))
    windows = (_pick(placed, cell, context) for cell in cells)
    fits = all(axis.offset(_SIZE) is not None for pair in windows for axis in pair)
    return None if fits else "leaves cells out"


def picks_cells(operator: Operator) -> bool:
    """Whether a pooling takes one cell of every two by two, as it is."""
    placed = placed_window(operator)
    return placed is not None and all(
        (axis.kernel, axis.stride) == (1, _CELLS) for axis in (placed.rows, placed.columns)
    )


def _pick(placed: Placed, cell: tuple[int, int], context: Context) -> tuple[Axis, Axis]:
    """The window that reads one cell of every window of the pooling."""
    axes = []
    for axis, at, on in zip((placed.rows, placed.columns), cell, context.mirrored, strict=True):
        one = Axis(axis.size, 1, axis.stride, 1, -at, axis.outputs)
        axes.append(one.mirrored() if on else one)
    return axes[0], axes[1]


def make_max_pool(operator: Operator, context: Context) -> Applied:
    """Makes a 2x2 pooling sums of cells and differences."""
    editor, result = context.editor, operator.outputs[0]
    placed = window_of(operator)
    if picks_cells(operator):
        activation = operator.option("fused_activation_function", "NONE")
        _convolved(operator, placed, {(0, 0): 1.0}, activation, context, result)
        editor.drop(operator)
        return Applied(
            "became a depthwise convolution that takes every other cell",
            "MAX_POOL_2D has no sparse form",
        )
    larger = []
    for row in range(_CELLS):
        first = _convolved(operator, placed, {(row, 0): 1.0}, "NONE", context)
        more = _convolved(operator, placed, {(row, 1): 1.0, (row, 0): -1.0}, "RELU", context)
        value = editor.value(result.shape, result, f"{result.name}/larger")
        editor.before(operator, "ADD", [first, more], [value])
        larger.append(value)
    upper, lower = larger
    negative = editor.value(result.shape, result, f"{result.name}/negative")
    more = editor.value(result.shape, result, f"{result.name}/more")
    factor = editor.constant(np.full((1, 1, 1, 1), -1, np.float32), f"{result.name}/factor")
    editor.before(operator, "MUL", [factor, upper], [negative])
    editor.before(operator, "ADD", [lower, negative], [more], fused_activation_function="RELU")
    activation = operator.option("fused_activation_function", "NONE")
    editor.before(operator, "ADD", [upper, more], [result], fused_activation_function=activation)
    editor.drop(operator)
    return Applied("became sums of cells and differences", "MAX_POOL_2D has no sparse form")


def _convolved(
    operator: Operator,
    placed: Placed,
    cells: dict[tuple[int, int], float],
    activation: str,
    context: Context,
    value: Tensor | None = None,
) -> Tensor:
    """A depthwise convolution with some taps, before the pooling."""
    editor, result = context.editor, operator.outputs[0]
    channels = result.shape[3]
    kernel = np.zeros((1, _SIZE, _SIZE, channels), np.float32)
    for cell, tap in cells.items():
        rows, columns = _pick(placed, cell, context)
        kernel[:, rows.offset(_SIZE), columns.offset(_SIZE)] = tap
    if value is None:
        value = editor.value(result.shape, result, f"{result.name}/cells")
    filters = editor.constant(kernel, f"{value.name}/filter")
    bias = editor.constant(np.zeros(channels, np.float32), f"{value.name}/bias")
    depthwise = editor.before(
        operator,
        "DEPTHWISE_CONV_2D",
        [placed.source, filters, bias],
        [value],
        depth_multiplier=1,
        fused_activation_function=activation,
    )
    set_window(depthwise, context, placed.source, placed.rows.stride, _SIZE)
    return value
