"""Operators that the sparse layout takes as they are: elementwise, resized, reduced, spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.rewrite.adapt.queries import RANK, constant_of, integers_of, is_map

if TYPE_CHECKING:
    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["depth_to_space_refusal", "reduction_refusal", "resize_refusal", "unary_refusal"]


def unary_refusal(operator: Operator, context: Context) -> str | None:
    """Why an elementwise operator has no sparse form."""
    del context
    return None if is_map(operator.inputs[0]) else "does not work on a 4-D fp32 map"


def resize_refusal(operator: Operator, context: Context) -> str | None:
    """Why a RESIZE_BILINEAR has no sparse form."""
    source = operator.inputs[0]
    if source is None or not is_map(source) or constant_of(operator, 1) is None:
        return "has no known size"
    if min(source.shape[1:3]) <= 1:
        return f"enlarges a {source.shape[1]}x{source.shape[2]} map"
    centred = operator.option("half_pixel_centers", default=False)
    corners = operator.option("align_corners", default=False)
    if any(context.mirrored) and not (centred or corners):
        return "samples to one side of the cells, which a reversed map would change"
    return None


def reduction_refusal(operator: Operator, context: Context) -> str | None:
    """Why a MEAN or SUM has no sparse form."""
    source = operator.inputs[0]
    axes = integers_of(operator, 1)
    if source is None or len(source.shape) != RANK or axes is None:
        return "has no axes that are known"
    if sorted(axis % RANK for axis in axes) != [1, 2]:
        return f"runs along the axes {list(axes)}; the sparse layout takes height and width"
    if not operator.option("keep_dims", default=False) and operator not in context.ends:
        return "drops dimensions that the operators after it need"
    return None


def depth_to_space_refusal(operator: Operator, context: Context) -> str | None:
    """Why a DEPTH_TO_SPACE cannot end the sparse layout."""
    del context
    source = operator.inputs[0]
    return None if source is not None and len(source.shape) == RANK else "is not 4-D"
