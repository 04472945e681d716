"""Recognizes a model and what `adapt` made of it: another graph or order, the same weights."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model.quantization import scales_of
from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.weights import find_weights
from tflite_sparse.storage.values.options import StoredValues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Model, Subgraph, Tensor

__all__ = ["is_adapted_pair", "is_reordered_pair", "is_rounded_pair", "rounded_to"]

_MOST = 0.5
_LEAST = 64
# Rounding to eight bits makes the smallest values zero, and moves sums by less than their noise.
_LOST = 0.03
_MOVED = 0.02


def is_adapted_pair(before: Model, after: Model) -> bool:
    """Whether one model looks like the other after its graph was adapted.

    They have the same inputs, outputs and signatures, and most weights of the first are in the
    second, in whatever order and among whatever zeros: adapting reverses kernels, permutes channels
    and fits filters into larger windows. That is no proof that they compute the same.

    Args:
        before: the first model.
        after: the second.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: a buffer does not fit its tensor.
    """
    ends = [_ends(model) for model in (before, after)]
    if ends[0] != ends[1]:
        return False
    first, second = _contents(before), _contents(after)
    total = sum(count * number for (count, _), number in first.items())
    same = sum(key[0] * number for key, number in (first & second).items())
    return total > 0 and same > _MOST * total


def is_rounded_pair(before: Model, after: Model) -> bool:
    """Whether one model looks like the other with its weights rounded to fewer bits.

    They have the same inputs and outputs, some weights of the second are of a narrower type than
    floats of 32 bits, and most weights of the first are in the second but for rounding, in whatever
    order. That is no proof that they compute nearly the same.

    Args:
        before: the first model.
        after: the second.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: a buffer does not fit its tensor.
    """
    if _ends(before) != _ends(after):
        return False
    first, second = _moments(before), _moments(after)
    if {kind for kind, *_ in second} <= {kind for kind, *_ in first}:
        return False
    total = same = 0
    for _, positive, negative, power in first:
        total += positive + negative
        twin = next(
            (
                other
                for other in second
                if abs(other[3] - power) <= _MOVED * power
                and _is_left(other[1], positive)
                and _is_left(other[2], negative)
            ),
            None,
        )
        if twin is not None:
            second.remove(twin)
            same += positive + negative
    return total > 0 and same > _MOST * total


def rounded_to(before: Model, after: Model) -> StoredValues | None:
    """The numbers to which weights of a model were rounded that still compute in fp32.

    Args:
        before: the first model.
        after: the second, see `is_rounded_pair`.

    Returns:
        Of int8 and fp16 the coarser one that the second has behind a DEQUANTIZE and the first has
        not; None where it has none, such as a model that computes in int8.
    """
    new = _unpacked_types(after) - _unpacked_types(before)
    coarse = (StoredValues.INT8, StoredValues.FP16)
    return next((values for values in coarse if values.tensor_type in new), None)


def _unpacked_types(model: Model) -> set[str]:
    """Types of weights that a DEQUANTIZE unpacks for all that read them."""
    return {
        weight.tensor.type
        for weight in find_weights(model)
        if weight.uses and all(use.dequantize is not None for use in weight.uses)
    }


def _is_left(after: int, before: int) -> bool:
    return (1 - _LOST) * before - 1 <= after <= before


def _moments(model: Model) -> list[tuple[str, int, int, float]]:
    """For each weight its type, how many values are positive and negative, and their magnitude."""
    moments = []
    for weight in find_weights(model, by_bytes=True):
        tensor = weight.tensor
        values = decoded(tensor)
        if values is None or values.dtype.kind not in "fi":
            continue
        scales = scales_of(tensor) if values.dtype.kind == "i" else None
        if values.dtype.kind == "i" and scales is None:
            continue
        real = values.astype(np.float32)
        if scales is not None:
            real *= scales
        positive, negative = int((real > 0).sum()), int((real < 0).sum())
        if positive + negative >= _LEAST:
            moments.append((tensor.type, positive, negative, float(np.abs(real).sum())))
    return moments


def is_reordered_pair(before: Model, after: Model) -> bool:
    """Whether models of the same graph have the same values in every constant, in whatever order.

    That is what putting channels in another order leaves. It is no proof that they compute the
    same.

    Args:
        before: the first model.
        after: the second.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: a buffer does not fit its tensor.
    """
    first, second = (
        [_content(tensor) for graph in model.subgraphs for tensor in _constants(graph)]
        for model in (before, after)
    )
    return Counter(first) == Counter(second)


def _constants(subgraph: Subgraph) -> Iterator[Tensor]:
    yield from (t for t in subgraph.tensors if t.is_constant and subgraph.consumers(t))


def _ends(model: Model) -> object:
    return [
        [_end(tensor) for tensor in (*graph.inputs, *graph.outputs)] for graph in model.subgraphs
    ]


def _end(tensor: Tensor) -> object:
    return tensor.type, tensor.shape, tensor.shape_signature or tensor.shape


def _contents(model: Model) -> Counter[tuple[int, int]]:
    """For each weight how many values are not zero, and a sum that knows no order."""
    contents: Counter[tuple[int, int]] = Counter()
    for weight in find_weights(model, by_bytes=True):
        content = _content(weight.tensor)
        if content is not None and content[0] >= _LEAST:
            contents[content] += 1
    return contents


def _content(tensor: Tensor) -> tuple[int, int] | None:
    """How many values are not zero, and a sum that knows no order; None without either."""
    values = decoded(tensor)
    if values is None or values.dtype.itemsize > np.dtype("u8").itemsize:
        return None
    bits = np.ascontiguousarray(values).reshape(-1).view(f"u{values.dtype.itemsize}")
    # -0.0 is zero: the sign is shifted out.
    filled = np.left_shift(bits, 1)
    return int(np.count_nonzero(filled)), int(np.sum(filled, dtype=np.uint64))
