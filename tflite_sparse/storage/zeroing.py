"""Sets weights of small magnitude to zero: the one thing here that loses information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Tensor

__all__ = ["dense_source", "small_values"]


def dense_source(tensor: Tensor, data: NDArray[Any], below: float) -> NDArray[Any]:
    """The dense weight with small values set to zero.

    The data themselves where `below` is 0 or nothing is that small, else a copy.

    Args:
        tensor: the constant, for its scale.
        data: its dense values.
        below: values of a magnitude below this become zero; in real units for quantized ones.
    """
    if below <= 0:
        return data
    small = small_values(tensor, data, below)
    if not small.any():
        return data
    copy = data.copy()
    copy[small] = 0
    return copy


def small_values(tensor: Tensor, data: NDArray[Any], below: float) -> NDArray[np.bool_]:
    """Where a weight is not zero, but of a magnitude below `below`; shape of the weight."""
    if np.issubdtype(data.dtype, np.floating):
        # Compared in the weight's own type, whose largest value caps the bound.
        bound = np.asarray(min(below, float(np.finfo(data.dtype).max)), data.dtype)
        small: NDArray[np.bool_] = (np.abs(data) < bound) & (data != 0)
        return small
    scale = _scale(tensor)
    if scale is None:
        return np.zeros(data.shape, np.bool_)
    small = (np.abs(data.astype(np.int16)) * scale < below) & (data != 0)
    return np.asarray(small)


def _scale(tensor: Tensor) -> NDArray[np.float64] | None:
    """The scale as an array that broadcasts to the weight; None where it is not quantized."""
    table = tensor.quantization
    scales = None if table is None else table["scale"]
    if table is None or scales is None or not scales.size:
        return None
    if scales.size == 1:
        return scales.astype(np.float64).reshape((1,) * len(tensor.shape))  # type: ignore[no-any-return]
    axis = int(table["quantized_dimension"])
    sizes = tuple(scales.size if d == axis else 1 for d in range(len(tensor.shape)))
    if axis >= len(tensor.shape) or tensor.shape[axis] != scales.size:
        return None
    return scales.astype(np.float64).reshape(sizes)  # type: ignore[no-any-return]
