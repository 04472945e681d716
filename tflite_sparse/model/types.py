"""The types of tensor elements: how wide they are and how numpy sees them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["FLOATS", "bits", "dtype"]

# What numpy has no type for is seen as the integer of its width (bfloat16, float8), or unpacked.
_DTYPES = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "INT32": "<i4",
    "UINT8": "u1",
    "INT64": "<i8",
    "BOOL": "?",
    "INT16": "<i2",
    "COMPLEX64": "<c8",
    "INT8": "i1",
    "FLOAT64": "<f8",
    "COMPLEX128": "<c16",
    "UINT64": "<u8",
    "UINT32": "<u4",
    "UINT16": "<u2",
    "BFLOAT16": "<u2",
    "FLOAT8_E4M3FN": "u1",
    "FLOAT8_E5M2": "u1",
}
_PACKED_BITS = {"INT4": 4, "UINT4": 4, "INT2": 2}

FLOATS: dict[str, np.dtype[Any]] = {
    "FLOAT32": np.dtype(np.float32),
    "FLOAT16": np.dtype(np.float16),
}
"""Types of weights that are computed with as floats, and how they are stored."""


def dtype(tensor_type: str) -> np.dtype[np.generic] | None:
    """The numpy type of one element, or None for packed, string and handle types.

    Args:
        tensor_type: name in the schema's TensorType, such as "FLOAT16".
    """
    code = _DTYPES.get(tensor_type)
    return None if code is None else np.dtype(code)


def bits(tensor_type: str) -> int | None:
    """Width of one element in bits, or None where elements have no fixed width."""
    code = _DTYPES.get(tensor_type)
    return _PACKED_BITS.get(tensor_type) if code is None else 8 * np.dtype(code).itemsize
