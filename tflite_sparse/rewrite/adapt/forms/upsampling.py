"""RESIZE_NEAREST_NEIGHBOR to twice the size in the sparse layout, which has no operator for it.

RESIZE_BILINEAR has a form, and to twice the size it leaves the cells of the map at even places as
they are. Multiplied by ones and zeros along height and width the others vanish, and a depthwise
convolution puts each of those that are left in the four cells that it is nearest to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.rewrite.adapt.kxk.parts import convolved, zeros
from tflite_sparse.rewrite.adapt.kxk.shifts import SHIFT_WINDOW
from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import RANK, is_map, present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context
    from tflite_sparse.xnnpack.cost.prices import Costs

__all__ = ["make_nearest", "nearest_cost", "nearest_refusal", "spread"]

_TWICE = 2
_MOVED = 3


def nearest_refusal(operator: Operator, context: Context) -> str | None:
    """Why a RESIZE_NEAREST_NEIGHBOR has no sparse form."""
    source, result = operator.inputs[0], operator.outputs[0]
    if source is None or not is_map(source) or not is_map(result):
        return "does not work on 4-D fp32 maps"
    if tuple(_TWICE * size for size in source.shape[1:3]) != result.shape[1:3]:
        return "does not enlarge to twice the size"
    if min(source.shape[1:3]) <= 1:
        return f"enlarges a {source.shape[1]}x{source.shape[2]} map"
    if operator.option("align_corners", default=False):
        return "aligns corners, which are then more than twice as far apart"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form in parts only, with pass {CANONICALIZE.name}"
    return None


def make_nearest(operator: Operator, context: Context) -> Applied:
    """Makes it RESIZE_BILINEAR, of which every other cell is kept and put in four."""
    source, result = present(operator.inputs[0]), operator.outputs[0]
    channels = source.shape[3]
    apart = spread(operator, context, source, (1, 2))
    kernel = np.zeros((1, SHIFT_WINDOW, SHIFT_WINDOW, channels), np.float32)
    kernel[:, :_TWICE, :_TWICE] = 1
    convolved(operator, apart, kernel, result, zeros(channels, context), context)
    context.editor.drop(operator)
    return Applied(
        "became RESIZE_BILINEAR, every other cell of which is put in four",
        "RESIZE_NEAREST_NEIGHBOR has no sparse form",
    )


def nearest_cost(elements: float, costs: Costs) -> float:
    """What the form costs.

    Args:
        elements: elements of the result.
        costs: prices on the target.
    """
    moved = _MOVED * (elements * costs.moved + costs.overhead)
    return moved + elements * SHIFT_WINDOW**2 * costs.depthwise_sparse + costs.overhead


def spread(
    operator: Operator, context: Context, source: Tensor, axes: Sequence[int], name: str = ""
) -> Tensor:
    """A map of twice the size along some axes, its cells at even places, zeros at the others.

    Args:
        operator: what the new operators come before.
        context: the editor.
        source: the map.
        axes: 1 for the height, 2 for the width.
        name: what new values are named after; by default after the map.
    """
    editor, name = context.editor, name or source.name
    shape = tuple(size * (_TWICE if axis in axes else 1) for axis, size in enumerate(source.shape))
    size = editor.constant(np.array(shape[1:3], np.int32), f"{name}/size")
    value = editor.value(shape, source, f"{name}/enlarged")
    editor.before(
        operator, "RESIZE_BILINEAR", [source, size], [value],
        align_corners=False, half_pixel_centers=False,
    )  # fmt: skip
    for axis in axes:
        key = ("even", axis, shape[axis])
        if key not in context.shared:
            ones = np.ones(shape[axis], np.float32)
            ones[1::2] = 0
            others = tuple(n for n in range(RANK) if n != axis)
            constant = editor.constant(np.expand_dims(ones, others), f"even_{'hw'[axis - 1]}")
            context.shared[key] = constant
        kept = editor.value(shape, source, f"{name}/apart")
        editor.before(operator, "MUL", [context.shared[key], value], [kept])
        value = kept
    return value
