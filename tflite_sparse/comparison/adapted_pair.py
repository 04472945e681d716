"""Recognizes a model and what `adapt` made of it: another graph or order, the same weights."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from tflite_sparse.model.sparse import decoded
from tflite_sparse.model.weights import find_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model import Model, Subgraph, Tensor

__all__ = ["is_adapted_pair", "is_reordered_pair"]

_MOST = 0.5
_LEAST = 64


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
