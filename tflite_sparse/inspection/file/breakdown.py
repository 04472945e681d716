"""Where the bytes of a file are: by kind of weight, as it is, all dense, and after sparsify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.weights import find_weights
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from tflite_sparse.inspection.inspection import Inspection
    from tflite_sparse.inspection.weights.weight_types import WeightFacts
    from tflite_sparse.model import Buffer, Model

__all__ = ["PARTS", "SizePart", "size_breakdown"]

PARTS = {
    "pointwise": "1x1 convolutions",
    "convolution": "other convolutions",
    "depthwise": "depthwise convolutions",
    "matrix": "fully connected and other matrices",
    "weights": "other weights",
    "constants": "biases and other constants",
    "metadata": "metadata",
    "appended": "appended data",
    "custom_options": "options of custom operators",
    "structure": "structure: tables and names",
}
"""The parts of a file, and what people call them."""

_KINDS = {
    "CONV_2D": "convolution",
    "TRANSPOSE_CONV": "convolution",
    "CONV_3D": "convolution",
    "CONV_3D_TRANSPOSE": "convolution",
    "DEPTHWISE_CONV_2D": "depthwise",
    "FULLY_CONNECTED": "matrix",
    "BATCH_MATMUL": "matrix",
}


class SizePart(Record, frozen=True):
    """A part of the file.

    Attributes:
        kind: a key of `PARTS`.
        now: its bytes.
        dense: its bytes if every weight were stored dense.
        sparse: its bytes if the dense weights that get smaller so were stored sparse.
    """

    kind: str
    now: int
    dense: int
    sparse: int


def size_breakdown(model: Model, inspection: Inspection) -> tuple[SizePart, ...]:
    """The parts of a file that have any bytes, in the order of `PARTS`.

    Args:
        model: the model.
        inspection: what was found in it, with all its weights.
    """
    now, dense, sparse = (dict.fromkeys(PARTS, 0) for _ in range(3))
    counted: set[Buffer] = set()
    for weight, facts in zip(find_weights(model), inspection.weights, strict=True):
        kind = _kind(facts)
        stored = 0 if weight.tensor.buffer in counted else facts.bytes_now
        counted.add(weight.tensor.buffer)
        now[kind] += stored
        grown = facts.bytes_dense - facts.bytes_now if facts.bytes_dense else 0
        dense[kind] += stored + grown
        sparse[kind] += stored - (facts.saving if facts.storage == "dense" else 0)
    shares = inspection.file.bytes
    for kind in ("constants", "metadata", "appended", "custom_options", "structure"):
        now[kind] = dense[kind] = sparse[kind] = getattr(shares, kind)
    return tuple(
        SizePart(kind, now[kind], max(dense[kind], 0), max(sparse[kind], 0))
        for kind in PARTS
        if now[kind] or dense[kind]
    )


def _kind(weight: WeightFacts) -> str:
    if weight.pointwise:
        return "pointwise"
    return next((_KINDS[use.name] for use in weight.uses if use.name in _KINDS), "weights")
