"""Weights as fp16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fits_half", "halved"]

_SMALLEST = np.finfo(np.float16).smallest_subnormal


def fits_half(weight: NDArray[np.floating[Any]]) -> bool:
    """Whether every value of a weight rounds to a finite fp16 number."""
    if not weight.size:
        return True
    with np.errstate(over="ignore"):
        ends = np.array([weight.max(), weight.min()]).astype(np.float16)
    return bool(np.isfinite(ends).all())


def halved(weight: NDArray[np.floating[Any]], *, keep_nonzero: bool = False) -> NDArray[np.float16]:
    """The weight as fp16, each value rounded to the nearest.

    Args:
        weight: the dense weight, see `fits_half`.
        keep_nonzero: whether a value that would become zero becomes the smallest number that is
            not, 6e-8.
    """
    half = weight.astype(np.float16)
    if keep_nonzero:
        lost = (half == 0) & (weight != 0)
        if lost.any():
            half[lost] = np.where(np.signbit(weight[lost]), -_SMALLEST, _SMALLEST)
    return half
