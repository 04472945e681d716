"""KxK convolutions in the sparse layout: as sums of 1x1 convolutions of shifted maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.convolution import convolution_refusal
from tflite_sparse.rewrite.adapt.kxk.price import kxk_price
from tflite_sparse.rewrite.adapt.kxk.taps import values_of_taps
from tflite_sparse.rewrite.adapt.passes.kxk import KXK
from tflite_sparse.rewrite.adapt.queries import present
from tflite_sparse.rewrite.adapt.window import placed_window
from tflite_sparse.words.numbers import rounded_percent, size

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["TOO_FEW", "kxk_refusal"]

TOO_FEW = "too few for its sparse form to pay"
"""Why a KxK convolution stays outside that would be slower sparse than dense."""

_STRIDES = (1, 2)
_DETOUR = 4


def kxk_refusal(operator: Operator, context: Context) -> str | None:
    """Why a CONV_2D wider than 1x1 has no sparse form."""
    shape = present(operator.inputs[1]).shape
    placed = placed_window(operator)
    if placed is None:
        return "has no known size"
    kernel = "x".join(map(str, shape[1:3]))
    if not context.allows(KXK):
        return f"is a {kernel} convolution on maps, which has a sparse form with pass kxk only"
    refusal = convolution_refusal(operator)
    if refusal is not None:
        return refusal
    rows, columns = placed.axes(context.mirrored)
    if rows.stride != columns.stride or rows.stride not in _STRIDES:
        return f"is a {kernel} convolution with stride {rows.stride}x{columns.stride}"
    return _refusal_by_price(operator, kernel, context)


def _refusal_by_price(operator: Operator, kernel: str, context: Context) -> str | None:
    values = values_of_taps(operator)
    if not values.any():
        return "has a filter of zeros alone"
    costs = context.editor.costs
    price = kxk_price(operator, context.mirrored, costs=costs)
    if price is None:
        return f"is a {kernel} convolution whose padding makes its map smaller"
    limit = context.editor.max_arena
    price = kxk_price(operator, context.mirrored, limit, costs)
    if price is None:
        return f"is a {kernel} convolution whose sparse form takes more than {size(int(limit))}"
    most = price.dense_cost * (_DETOUR if context.detours else 1)
    if price.cost < most:
        return None
    zeros = 1 - values.sum() / math.prod(present(operator.inputs[1]).shape)
    share = rounded_percent(zeros)
    return f"is a {kernel} convolution of {share} zeros, {TOO_FEW}"
