"""What a quantized tensor is dequantized with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import ModelError
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Tensor

__all__ = [
    "QuantizationFacts",
    "dequantized_with",
    "moved_quantization",
    "quantization_facts",
    "quantization_table",
    "scales_of",
    "zero_points",
]

_INTEGERS = ("INT", "UINT")


class QuantizationFacts(Record, frozen=True):
    """The quantization of a weight.

    Attributes:
        axis: the dimension that has a scale and zero point for each index, None for the whole.
        zero_points: the zero point, or one for each channel where they differ.
    """

    axis: int | None
    zero_points: tuple[int, ...]


def zero_points(tensor: Tensor) -> NDArray[np.int64] | None:
    """What counts as zero in a quantized tensor, as an array that broadcasts to its shape.

    One zero point, or one for each index of the quantized dimension. None for a tensor that is not
    quantized, and where every zero point is 0.

    Raises:
        ModelError: there are neither as many zero points as the quantized dimension asks nor one.
    """
    points = _stored(tensor)
    if points is None or not points.any():
        return None
    rank = len(tensor.shape)
    if points.size == 1 or (points == points[0]).all():
        return points[:1].reshape((1,) * rank)
    axis = _axis(tensor)
    if axis >= rank or tensor.shape[axis] != points.size:
        raise ModelError(
            f"has {points.size} zero points for dimension {axis} of shape {list(tensor.shape)}",
            place=tensor.place,
        )
    return points.reshape(tuple(points.size if i == axis else 1 for i in range(rank)))


def scales_of(tensor: Tensor) -> NDArray[np.float32] | None:
    """The steps of a symmetrically quantized tensor, as an array that broadcasts to its shape.

    None for a tensor that is not quantized, or whose zero points are not 0.
    """
    points, scales = _stored(tensor), _vector(tensor, "scale")
    if points is None or scales is None or points.any():
        return None
    axis, rank = _axis(tensor), len(tensor.shape)
    if scales.size == 1:
        return scales.reshape((1,) * rank).astype(np.float32)
    if axis >= rank or tensor.shape[axis] != scales.size:
        return None
    shape = tuple(scales.size if i == axis else 1 for i in range(rank))
    return scales.reshape(shape).astype(np.float32)


def dequantized_with(tensor: Tensor) -> tuple[bytes, ...]:
    """What a DEQUANTIZE of an int8 constant reads besides its values; () for other types."""
    table = tensor.quantization
    if tensor.type != "INT8" or table is None:
        return ()
    names = ("scale", "zero_point", "quantized_dimension")
    return tuple(np.asarray(table[name]).tobytes() for name in names)


def quantization_table(scales: Sequence[float] | NDArray[np.float32], axis: int = 0) -> Table:
    """The quantization of a constant with zero point 0.

    Args:
        scales: its steps: one, or one for each index of a dimension.
        axis: that dimension.
    """
    table = Table("QuantizationParameters")
    table["scale"] = np.asarray(scales, np.float32)
    table["zero_point"] = np.zeros(len(scales), np.int64)
    table["quantized_dimension"] = axis
    return table


def moved_quantization(
    tensor: Tensor, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> Table | None:
    """The quantization of a constant whose values were moved, with zeros added or some cut away.

    Args:
        tensor: the constant as it was, with zero point 0.
        change: what was done to its values; each value that stays must keep its channel.

    Returns:
        It; None for a constant that is not quantized.

    Raises:
        ValueError: values of several channels share a place along every dimension.
    """
    scales = scales_of(tensor)
    if scales is None:
        return None
    if scales.size == 1:
        return quantization_table(scales.ravel())
    # Scales may be anything, 0 or NaN too: their numbers are moved, and 0 is where no value was.
    bits, inverse = np.unique(scales.view(np.uint32), return_inverse=True)
    known = np.concatenate([np.ones(1, np.float32), bits.view(np.float32)])
    numbers = np.asarray(inverse + 1, np.int32).reshape(scales.shape)
    moved = np.asarray(change(np.broadcast_to(numbers, tensor.shape)))
    axes = range(moved.ndim)
    for axis in sorted(axes, key=lambda axis: axis != _axis(tensor)):
        others = tuple(each for each in axes if each != axis)
        found = moved.max(axis=others, keepdims=True)
        if ((moved == found) | (moved == 0)).all():
            return quantization_table(known[found.ravel()], axis)
    raise ValueError(tensor.name)


def quantization_facts(tensor: Tensor) -> QuantizationFacts | None:
    """The zero points as a report shows them; None for a tensor that is not quantized."""
    points = _stored(tensor)
    if points is None:
        return None
    scales = _vector(tensor, "scale")
    per_channel = scales is not None and scales.size > 1
    same = bool((points == points[0]).all())
    return QuantizationFacts(
        axis=_axis(tensor) if per_channel else None,
        zero_points=tuple(points[:1].tolist() if same else points.tolist()),
    )


def _stored(tensor: Tensor) -> NDArray[np.int64] | None:
    scales = _vector(tensor, "scale")
    if not tensor.type.startswith(_INTEGERS) or scales is None or not scales.size:
        # Floats may carry ranges from training here; they are not quantized by them.
        return None
    points = _vector(tensor, "zero_point")
    return np.zeros(1, np.int64) if points is None or not points.size else points


def _vector(tensor: Tensor, name: str) -> NDArray[Any] | None:
    return None if tensor.quantization is None else tensor.quantization[name]


def _axis(tensor: Tensor) -> int:
    return (
        0
        if tensor.quantization is None
        else max(int(tensor.quantization["quantized_dimension"]), 0)
    )
