"""The metadata min_runtime_version: the oldest TFLite that runs the model.

Source: tflite/converter/tools/versioning/runtime_version.cc: the version as text, padded with zero
bytes to the 16 bytes of its buffer, and a table of the operators' versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.records import Record

if TYPE_CHECKING:
    from tflite_sparse.model import Model, Operator

__all__ = [
    "DENSIFY_NEEDS",
    "DEQUANTIZE_CHANNELS_NEEDS",
    "DEQUANTIZE_CHANNELS_VERSION",
    "DEQUANTIZE_NEEDS",
    "SPARSE_FC_NEEDS",
    "VersionRaise",
    "dequantize_version",
    "needed_version",
    "raise_runtime_version",
    "stated_version",
]

DENSIFY_NEEDS = "2.2.0"
"""The first TFLite with DENSIFY version 1."""

SPARSE_FC_NEEDS = "2.3.0"
"""The first TFLite with FULLY_CONNECTED version 8."""

DEQUANTIZE_NEEDS = "1.15.0"
"""The first TFLite with DEQUANTIZE version 3, for fp16; int8 with one scale is older."""

DEQUANTIZE_CHANNELS_NEEDS = "2.7.0"
"""The first TFLite with DEQUANTIZE version 5, for int8 with a scale for each channel."""

DEQUANTIZE_CHANNELS_VERSION = 5
"""The version of DEQUANTIZE that reads int8 with a scale for each channel."""

_DEQUANTIZE_VERSIONS = {"INT8": 2, "FLOAT16": 3}

_NAME = "min_runtime_version"
_BYTES = 16


class VersionRaise(Record, frozen=True):
    """The metadata min_runtime_version, which was raised.

    Attributes:
        before: the version before, empty where none was stated.
        after: the version now.
    """

    before: str
    after: str


def dequantize_version(kind: str, scales: int) -> int:
    """The version of DEQUANTIZE that unpacks a constant to fp32.

    Source: tflite/converter/tools/versioning/op_version.cc.

    Args:
        kind: its element type, "INT8" or "FLOAT16".
        scales: how many it has.
    """
    per_channel = kind == "INT8" and scales > 1
    return DEQUANTIZE_CHANNELS_VERSION if per_channel else _DEQUANTIZE_VERSIONS[kind]


def raise_runtime_version(model: Model, needed: str) -> VersionRaise | None:
    """Raises the version that the model asks for, where it asks for one and for an older one.

    Args:
        model: the model; its metadata is edited.
        needed: the version that it needs now.

    Returns:
        What was changed, or None where nothing was.
    """
    for entry in model.metadata:
        if entry.name != _NAME:
            continue
        before = entry.buffer.data.tobytes().rstrip(b"\0").decode("ascii", "replace")
        # An empty version says that no operator of the model is in TFLite's table.
        if not _older(before, needed) or any(
            tensor.buffer is entry.buffer for graph in model.subgraphs for tensor in graph.tensors
        ):
            return None
        entry.buffer.data = np.frombuffer(needed.encode().ljust(_BYTES, b"\0"), np.uint8)
        return VersionRaise(before, needed)
    return None


def _older(version: str, than: str) -> bool:
    numbers = _numbers(version)
    return numbers is not None and numbers < (_numbers(than) or ())


def _numbers(version: str) -> tuple[int, ...] | None:
    """The parts of a version, () of an empty one, None of what is no version."""
    try:
        return tuple(int(part) for part in version.split(".")) if version else ()
    except ValueError:
        return None


def stated_version(model: Model) -> tuple[int, ...] | None:
    """The version that the metadata states, None where there is none or it states nothing."""
    for entry in model.metadata:
        if entry.name == _NAME:
            text = entry.buffer.data.tobytes().rstrip(b"\0").decode("ascii", "replace")
            return _numbers(text) or None
    return None


def needed_version(model: Model) -> tuple[int, ...] | None:
    """The version that the sparse operators of a model need, and those that unpack its weights.

    None for a model without any.
    """
    needed = (needs for operator in model.operators() if (needs := _needs(operator)) is not None)
    return max((_numbers(version) or () for version in needed), default=None)


def _needs(operator: Operator) -> str | None:
    if operator.name == "DENSIFY":
        return DENSIFY_NEEDS
    if operator.name == "DEQUANTIZE" and operator.version >= DEQUANTIZE_CHANNELS_VERSION:
        return DEQUANTIZE_CHANNELS_NEEDS
    if operator.name == "FULLY_CONNECTED" and _reads_sparse(operator):
        return SPARSE_FC_NEEDS
    return None


def _reads_sparse(operator: Operator) -> bool:
    return any(tensor is not None and tensor.sparsity is not None for tensor in operator.inputs)
