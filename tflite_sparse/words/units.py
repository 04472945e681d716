"""Sizes and shares as people write them: "4 MiB", "70%", 0.7."""

from __future__ import annotations

import re
from typing import Any

from tflite_sparse.errors import UsageError

__all__ = ["parse_amount"]

_UNITS = {
    "": 1,
    "b": 1,
    "k": 2**10,
    "kib": 2**10,
    "kb": 10**3,
    "m": 2**20,
    "mib": 2**20,
    "mb": 10**6,
    "g": 2**30,
    "gib": 2**30,
    "gb": 10**9,
}
_AMOUNT = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z%]*)\s*")


def parse_amount(value: Any, *, size: bool) -> float:
    """A size in bytes, or a share from 0 upwards.

    Args:
        value: a number, or text such as "4 MiB" for a size and "70%" for a share.
        size: whether a size is meant.

    Raises:
        UsageError: the value is neither, or negative.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        number, unit = float(match[1]), match[2].lower()
        if size and unit in _UNITS:
            return number * _UNITS[unit]
        if not size and unit in {"", "%"}:
            return number / 100 if unit else number
    wanted = 'a size such as "4 MiB"' if size else 'a share such as "70%" or 0.7'
    raise UsageError(f"{value!r} is not {wanted}")
