"""Sizes and shares as people write them: "4 MiB", "64 kB", "70%", 0.7."""

from __future__ import annotations

import re

from tflite_sparse.errors import UsageError

__all__ = ["parse_share", "parse_size"]

# As IEC 80000-13 has it, KiB are powers of two and kB powers of ten; a bare K is short for KiB.
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
_NUMBER = r"\+?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_AMOUNT = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z%]*)\s*")


def parse_size(value: object) -> float:
    """A size in bytes.

    Args:
        value: a number of bytes, or text such as "4096", "64K", "64 KiB" (65,536) or "64 kB"
            (64,000).

    Raises:
        UsageError: the value is none, or negative.
    """
    number, unit = _split(value)
    if number is None or unit not in _UNITS:
        raise UsageError(f'{value!r} is not a size such as "4 MiB"')
    return number * _UNITS[unit]


def parse_share(value: object) -> float:
    """A share: 1.0 is all, and more than that is for the caller to judge.

    Args:
        value: a number, or text such as "0.7" or "70%".

    Raises:
        UsageError: the value is none, or negative.
    """
    number, unit = _split(value)
    if number is None or unit not in {"", "%"}:
        raise UsageError(f'{value!r} is not a share such as "70%" or 0.7')
    return number / 100 if unit else number


def _split(value: object) -> tuple[float | None, str]:
    """The number and its unit in small letters; None for what is no number from 0 upwards."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value), ""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return (None, "") if match is None else (float(match[1]), match[2].lower())
