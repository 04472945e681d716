"""Builds the sparse forms of a KxK convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.build import add_up, select
from tflite_sparse.rewrite.adapt.kxk.parts import (
    ONE_BY_ONE,
    bias_of,
    depthwise,
    product,
    shifted,
    tap_product,
    zeros,
)
from tflite_sparse.rewrite.adapt.kxk.price import separable_windows
from tflite_sparse.rewrite.adapt.kxk.shifts import shift_of
from tflite_sparse.rewrite.adapt.kxk.taps import taps_of
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.window import window_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["build_by_taps", "build_separable"]


def build_by_taps(operator: Operator, context: Context) -> None:
    """Makes a convolution a sum, over its taps, of 1x1 convolutions of shifted maps.

    The bias goes to the first product, the activation to the sum. Convolutions that read the same
    map share its shifts.
    """
    editor, result = context.editor, operator.outputs[0]
    source = window_of(operator).source
    taps = taps_of(operator, context.mirrored)
    activation = operator.option("fused_activation_function", "NONE")
    alone = len(taps) == 1
    stride = taps[0].rows.stride
    parts = []
    for number, tap in enumerate(taps):
        moved = shifted(operator, source, present(shift_of(tap)), stride, context)
        part = result if alone else editor.value(result.shape, result, f"{result.name}/tap")
        bias = zeros(result.shape[3], context) if number else bias_of(operator, context)
        product = tap_product(operator, tap, moved, part, bias, context)
        if alone:
            editor.set_options(product, fused_activation_function=activation)
        parts.append(part)
    if not alone:
        add_up(editor, operator, parts, result, activation)
    editor.drop(operator)


def build_separable(operator: Operator, context: Context) -> None:
    """Makes a convolution one 1x1 convolution between shifts along the height and the width.

    Copies of the map, side by side, are shifted along the height; one convolution computes what
    each shift along the width contributes; a last one adds these up, with bias and activation.
    """
    editor, result = context.editor, operator.outputs[0]
    source = window_of(operator).source
    taps = taps_of(operator, context.mirrored)
    height, width = present(separable_windows(taps))
    rows = {tap.rows.before: tap.row for tap in taps}
    columns = {tap.columns.before: tap.column for tap in taps}
    channels, outputs = source.shape[3], result.shape[3]
    copied = source
    if len(rows) > 1:
        copied = select(
            editor,
            operator,
            source,
            np.tile(np.eye(channels, dtype=np.float32), (len(rows), 1)),
            f"{result.name}/copies",
        )
    kernel = np.zeros((1, height, height, len(rows) * channels), np.float32)
    for number, before in enumerate(rows):
        own = slice(number * channels, (number + 1) * channels)
        kernel[0, height // 2 - before, height // 2, own] = 1
    moved = depthwise(operator, copied, kernel, f"{result.name}/along_height", context)

    def joined(filt: NDArray[Any]) -> NDArray[Any]:
        chosen = filt[:, list(rows.values())][:, :, list(columns.values())]
        # From (output, row, column, channel) to (column and output, row and channel).
        matrix = chosen.transpose(2, 0, 1, 3).reshape(len(columns) * outputs, 1, 1, -1)
        return np.ascontiguousarray(matrix)

    shape = (*result.shape[:3], len(columns) * outputs)
    sums = editor.value(shape, result, f"{result.name}/columns")
    key = f"rows_{'_'.join(map(str, rows.values()))}_columns_{'_'.join(map(str, columns.values()))}"
    bias = zeros(len(columns) * outputs, context)
    product(operator, moved, sums, joined, key, bias, context)
    kernel = np.zeros((1, width, width, len(columns) * outputs), np.float32)
    for number, before in enumerate(columns):
        own = slice(number * outputs, (number + 1) * outputs)
        kernel[0, width // 2, width // 2 - before, own] = 1
    spread = depthwise(operator, sums, kernel, f"{result.name}/along_width", context)
    total = np.tile(np.eye(outputs, dtype=np.float32), (1, len(columns)))
    filters = editor.constant(total.reshape(outputs, 1, 1, -1), f"{result.name}/sum/filter")
    activation = operator.option("fused_activation_function", "NONE")
    editor.before(
        operator,
        "CONV_2D",
        [spread, filters, bias_of(operator, context)],
        [result],
        fused_activation_function=activation,
        **ONE_BY_ONE,
    )
    editor.drop(operator)
