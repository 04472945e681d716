"""How a weight could be stored in other numbers, dense or sparse, and what each form takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tflite_sparse.encoding import EncodingChoice, Occupancy
from tflite_sparse.storage.encoding_choice import best_storage, densify_nbytes
from tflite_sparse.storage.values.balance import balanced
from tflite_sparse.storage.values.fit import Fit, fitted
from tflite_sparse.storage.values.half import fits_half, halved
from tflite_sparse.storage.values.options import StoredValues, ValuesOptions
from tflite_sparse.storage.values.quantize import along, channel_scales, dequantized, quantized
from tflite_sparse.storage.values.rounding import Rounding, rounding

if TYPE_CHECKING:
    from tflite_sparse.model.weights import Weight
    from tflite_sparse.storage.moments.moments import Moments
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = ["Converted", "convert", "form_nbytes", "scales_nbytes", "unpacking_nbytes"]

_QUANTIZATION_NBYTES = 56
_SCALE_NBYTES = 4
_KEPT = 2 * 2**20
"""The largest int8 weight in bytes that memory keeps, rather than that it is computed twice."""
_HALF_STEP = np.float32(np.finfo(np.float16).smallest_subnormal)


class Converted(msgspec.Struct, frozen=True, eq=False):
    """A weight in other numbers.

    Attributes:
        values: the numbers.
        scales: of the output channels, shape (channels,); None for fp16.
        axis: the dimension of the output channels.
        source: gives the dense weight in these numbers.
        rounding: how its values changed.
        sparse: its smallest sparse encoding, None where it has none.
        zeros: number of its zeros.
    """

    values: StoredValues
    scales: NDArray[np.float32] | None
    axis: int
    source: Callable[[], NDArray[Any]]
    rounding: Rounding
    sparse: EncodingChoice | None
    zeros: int


def convert(
    before: Callable[[], NDArray[Any]],
    axis: int,
    options: ValuesOptions,
    storage: SparsifyOptions,
    moments: Moments | None = None,
) -> Converted | None:
    """A weight in the numbers that are asked for; None where it has values that they have not.

    Args:
        before: gives the dense weight, fp32 or fp16.
        axis: its dimension of output channels.
        options: the numbers.
        storage: how sparse weights are encoded.
        moments: of what it is multiplied with, to which int8 values are fitted; None for none.
    """
    real = before().astype(np.float32, copy=False)
    scales: NDArray[np.float32] | None = None
    fit: Fit | None = None
    source: Callable[[], NDArray[Any]]
    stored: NDArray[Any]
    if options.values is StoredValues.INT8:
        scales = channel_scales(real, axis)
        if not np.isfinite(scales).all():
            return None
        source = partial(_whole, before, scales, axis, options.keep_nonzero)
        stored = source()
        if stored.nbytes <= _KEPT:
            source = partial(_kept, stored)
        if moments is not None:
            fit = fitted(real, stored, scales, axis, moments, keep_nonzero=options.keep_nonzero)
            # Kept, as it takes long to find.
            stored, scales, source = fit.whole, fit.scales, partial(_kept, fit.whole)
        after: NDArray[Any] = dequantized(stored, scales, axis)
        steps = along(scales, axis, real.ndim)
    else:
        if not fits_half(real):
            return None
        source = partial(_half, before, options.keep_nonzero)
        stored = after = source()
        steps = np.full((1,) * real.ndim, _HALF_STEP)
    told = rounding(real, after, options.values, scales, steps)
    if fit is not None:
        told = msgspec.structs.replace(told, output_snr=fit.snr, nearest_snr=fit.nearest_snr)
    counts = Occupancy(stored)
    return Converted(
        options.values,
        scales,
        axis,
        source,
        told,
        best_storage(counts, storage) if counts.values else None,
        stored.size - counts.values,
    )


def _kept(whole: NDArray[np.int8]) -> NDArray[np.int8]:
    return whole


def _whole(
    before: Callable[[], NDArray[Any]],
    scales: NDArray[np.float32],
    axis: int,
    keep_nonzero: bool,
) -> NDArray[np.int8]:
    weight = before()
    nearest = quantized(weight, scales, axis, keep_nonzero=keep_nonzero)
    return balanced(weight, nearest, scales, axis, keep_nonzero=keep_nonzero)


def _half(
    before: Callable[[], NDArray[Any]],
    keep_nonzero: bool,
) -> NDArray[np.float16]:
    return halved(before(), keep_nonzero=keep_nonzero)


def form_nbytes(weight: Weight, converted: Converted, *, sparse: bool) -> int:
    """The most bytes that a weight would take in the file, with all that describes and unpacks it.

    Args:
        weight: the weight as it is.
        converted: the numbers.
        sparse: whether in its sparse encoding.
    """
    tensors = len(weight.tensors)
    total = 0 if converted.scales is None else scales_nbytes(tensors, converted.scales.size)
    if sparse and converted.sparse is not None:
        cost = converted.sparse.cost
        total += cost.nbytes + cost.structure * tensors
    else:
        width = 1 if converted.values is StoredValues.INT8 else 2
        total += weight.tensor.size * width
    operators = 2 if sparse else 1
    return total + sum(operators * densify_nbytes(tensor) for tensor in weight.tensors)


def scales_nbytes(tensors: int, channels: int) -> int:
    """The most bytes that the quantization of a weight takes in the file.

    Args:
        tensors: how many tensors hold the weight.
        channels: its output channels.
    """
    # The zero points are one list for all weights with as many channels.
    return tensors * _QUANTIZATION_NBYTES + _SCALE_NBYTES * channels


def unpacking_nbytes(weight: Weight) -> int:
    """The bytes of the operators that unpack a weight now, and of their outputs."""
    through = dict.fromkeys(operator for use in weight.uses for operator in use.through)
    return sum(
        densify_nbytes(operator.inputs[0]) for operator in through if operator.inputs[0] is not None
    )
