"""Weights as int8: a scale for each output channel, zero point 0, so that zeros stay zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["along", "channel_scales", "dequantized", "quantized", "storable"]

_LARGEST = 127

# A scale below the smallest normal number loses digits, and is flushed to zero by some processors.
_SMALLEST = np.finfo(np.float32).tiny

# 127 times a larger scale is infinite.
_WIDEST = np.nextafter(np.finfo(np.float32).max / np.float32(_LARGEST), np.float32(0))


def channel_scales(weight: NDArray[np.floating[Any]], axis: int) -> NDArray[np.float32]:
    """The scale of each channel: its largest magnitude becomes 127.

    Args:
        weight: the dense weight.
        axis: its dimension of output channels.

    Returns:
        Shape (channels,); 1 for a channel of zeros alone. Not finite where the weight is not.
    """
    others = tuple(dimension for dimension in range(weight.ndim) if dimension != axis)
    highest = np.maximum(weight.max(axis=others), -weight.min(axis=others)).astype(np.float32)
    scales = storable(highest / np.float32(_LARGEST))
    return np.where(highest == 0, np.float32(1), scales).astype(np.float32)


def storable(scales: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Scales as the file holds them: none so small that it is lost, nor so large that 127 is.

    Args:
        scales: of the channels; what is not finite stays so.
    """
    held = np.maximum(scales.astype(np.float32), _SMALLEST)
    return np.where(np.isfinite(held), np.minimum(held, _WIDEST), held)


def quantized(
    weight: NDArray[np.floating[Any]],
    scales: NDArray[np.float32],
    axis: int,
    *,
    keep_nonzero: bool = False,
) -> NDArray[np.int8]:
    """The weight as int8, each value the nearest multiple of its channel's scale.

    Args:
        weight: the dense weight; its values are finite.
        scales: of each channel, shape (channels,).
        axis: the dimension of the channels.
        keep_nonzero: whether a value that would become zero becomes 1 or -1.
    """
    steps = np.rint(weight / along(scales, axis, weight.ndim))
    whole: NDArray[np.int8] = np.clip(steps, -_LARGEST, _LARGEST, out=steps).astype(np.int8)
    if keep_nonzero:
        lost = (whole == 0) & (weight != 0)
        if lost.any():
            whole[lost] = np.where(np.signbit(weight[lost]), -1, 1)
    return whole


def dequantized(
    whole: NDArray[np.int8] | NDArray[np.int16], scales: NDArray[np.float32], axis: int
) -> NDArray[np.float32]:
    """What the runtime's DEQUANTIZE makes of int8 values with zero point 0, bit for bit.

    It multiplies in single precision, or in double and rounds: a product of 8 and 24 bits is exact
    in double, so that both round once. Source: reference_ops::PerChannelDequantize and Dequantize.

    Args:
        whole: the dense weight, or its differences from a zero point.
        scales: of each channel, or one.
        axis: the dimension of the channels.
    """
    factors = along(scales, axis, whole.ndim)
    return np.asarray(whole.astype(np.float32) * factors, np.float32)


def along(scales: NDArray[np.float32], axis: int, rank: int) -> NDArray[np.float32]:
    """Scales as an array of so many dimensions, to be broadcast along one of them.

    Args:
        scales: of each channel, or one.
        axis: the dimension of the channels.
        rank: the number of dimensions.
    """
    sizes = [1] * rank
    if scales.size > 1:
        sizes[axis] = scales.size
    return scales.reshape(sizes)
