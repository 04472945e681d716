"""What convolutions of every kind have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.queries import ACTIVATIONS, has_bias, is_map, movable_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = ["can_widen", "convolution_refusal", "give_bias", "is_kxk", "is_pointwise", "ungrouped"]

_BIAS = 2


def is_pointwise(operator: Operator) -> bool:
    """Whether a CONV_2D has a 1x1 kernel."""
    filt = operator.inputs[1] if len(operator.inputs) > 1 else None
    return filt is not None and filt.shape[1:3] == (1, 1)


def is_kxk(operator: Operator) -> bool:
    """Whether it is a CONV_2D with a kernel wider than 1x1."""
    filt = operator.inputs[1] if len(operator.inputs) > 1 else None
    return operator.name == "CONV_2D" and filt is not None and filt.shape[1:3] != (1, 1)


def convolution_refusal(operator: Operator) -> str | None:
    """Why a convolution of any kind cannot take part: its filter, maps, activation or bias."""
    if movable_of(operator, 1) is None:
        return "has a filter that is computed or does not become fp32"
    if not is_map(operator.inputs[0]) or not is_map(operator.outputs[0]):
        return "does not work on 4-D fp32 maps"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return f"fuses {operator.option('fused_activation_function')}, which XNNPACK does not take"
    if has_bias(operator) and movable_of(operator, _BIAS) is None:
        return "has a bias that is computed"
    return None


def give_bias(operator: Operator, context: Context) -> None:
    """Gives a convolution a bias of zeros if it has none: XNNPACK's delegate takes no other."""
    if has_bias(operator):
        return
    result = operator.outputs[0]
    zeros = np.zeros(result.shape[3], np.float32)
    context.editor.read(operator, _BIAS, context.editor.constant(zeros, f"{result.name}/bias"))


def ungrouped(filt: NDArray[Any], channels: int) -> NDArray[Any]:
    """A filter with groups as one without: zeros for the channels of other groups.

    Args:
        filt: the filter, shape (outputs, height, width, channels of a group).
        channels: channels of the map.
    """
    outputs, own = filt.shape[0], filt.shape[3]
    if own == channels:
        return filt
    whole = np.zeros((*filt.shape[:3], channels), filt.dtype)
    each = outputs * own // channels
    for first in range(0, channels, own):
        rows = slice(first // own * each, (first // own + 1) * each)
        whole[rows, ..., first : first + own] = filt[rows]
    return whole


def can_widen(producer: Operator, context: Context) -> bool:
    """Whether the output channels of an operator can be changed: a 1x1 convolution of a region."""
    return (
        producer.name == "CONV_2D"
        and is_pointwise(producer)
        and producer in context.members
        and has_bias(producer)
    )
