"""Zeros of the filters that count: how many, and in which blocks of output channels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model.zero_counts import Counts, count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Tensor
    from tflite_sparse.model.zero_counts import ZeroCounts
    from tflite_sparse.xnnpack.assumptions import WhatIf

__all__ = ["block_size", "filter_zeros"]


def block_size(counts: Counts, blocks: tuple[int, ...]) -> int:
    """Output channels that the sparse kernel of a filter computes together.

    Blocks are taken where they are at least 90 % filled, four before two; a filter without a whole
    block counts as filled. Source: src/operators/convolution-nchw.c, create_spmm_path.

    Args:
        counts: the filter's zeros; single channels where only their number is known.
        blocks: the block sizes for which the target has kernels.
    """
    if not counts.blocks:
        return 1
    (pairs, fours), (in_pairs, in_fours) = counts.blocks, counts.block_values
    if 4 in blocks and in_fours * 5 >= fours * 18:  # noqa: PLR2004 - channels
        return 4
    if 2 in blocks and in_pairs * 5 >= pairs * 9:  # noqa: PLR2004 - channels
        return 2
    return 1


def filter_zeros(constant: Tensor, assume: WhatIf, zeros: ZeroCounts) -> Counts:
    """The zeros of a constant filter, as they are or as they are assumed to be.

    Args:
        constant: the tensor that the file stores, dense or sparse.
        assume: assumptions; `zeros` is looked up by the tensor's index.
        zeros: counts the others.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape.
    """
    assumed = assume.zeros.get(constant.index)
    if assumed is None:
        return zeros.of(constant, zero_points=_zero_point(constant))
    if isinstance(assumed, int | np.integer):
        return Counts(math.prod(constant.shape), int(assumed))
    mask = np.asarray(assumed, dtype=np.bool_).reshape(constant.shape)
    return count(~mask, "BOOL")


def _zero_point(constant: Tensor) -> NDArray[Any] | None:
    """What the runtime takes for zero in a filter; None for 0."""
    quantization = constant.quantization
    points = None if quantization is None else quantization["zero_point"]
    if constant.type != "INT8" or points is None or len(points) != 1 or not points[0]:
        return None
    return np.asarray(points).reshape((1,) * len(constant.shape))
