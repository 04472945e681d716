"""Compares the values of two constants, some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compare_values"]

_SLAB = 1 << 18


def compare_values(
    first: NDArray[Any], second: NDArray[Any], kind: str
) -> tuple[bool, int, float | None]:
    """Compares two arrays of one shape and type.

    Args:
        first: the values before.
        second: the values after.
        kind: the element type by the schema's name; BFLOAT16 comes as uint16.

    Returns:
        Whether all values are the same bit for bit but that -0.0 is 0.0; how many differ; and the
        largest difference, None where there is none or one that is no number.
    """
    differing, largest, countable = 0, 0.0, True
    left, right = first.reshape(-1), second.reshape(-1)
    for start in range(0, left.size, _SLAB):
        a, b = left[start : start + _SLAB], right[start : start + _SLAB]
        if a.tobytes() == b.tobytes():
            continue
        if a.dtype.kind in "iu" and kind != "BFLOAT16":
            x, y = a, b
        else:
            x, y = _numbers(a, kind), _numbers(b, kind)
        unlike = ~((x == y) | ((x != x) & (y != y)))  # noqa: PLR0124 - what is not itself is NaN
        count = int(np.count_nonzero(unlike))
        if not count:
            continue
        differing += count
        with np.errstate(invalid="ignore", over="ignore"):
            gaps = np.abs(_numbers(a[unlike], kind) - _numbers(b[unlike], kind))
        countable = countable and bool(np.isfinite(gaps).all())
        largest = max(largest, float(np.nanmax(gaps)) if countable else 0.0)
    return not differing, differing, largest if differing and countable else None


def _numbers(values: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "BFLOAT16":
        # The upper half of a float32.
        return (values.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    if np.iscomplexobj(values):
        return values.astype(np.complex128)
    return values.astype(np.float64)
