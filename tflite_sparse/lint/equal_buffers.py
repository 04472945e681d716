"""Buffers that hold the same bytes, for tensors that could share one of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.model.quantization import dequantized_with
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.storage.encoding_choice import same_encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.model import Buffer, Model, Tensor

__all__ = ["equal_buffers"]

_SHARED_FROM = 1024


def equal_buffers(model: Model) -> list[list[Buffer]]:
    """Groups of buffers of 1 KiB and more with equal contents, each in the order of the file.

    Tensors that see the same bytes as other values are in no group with each other: once they
    share a buffer, neither can be stored dense or sparse without the other.
    """
    by_size: defaultdict[int, list[Buffer]] = defaultdict(list)
    for buffer in model.buffers:
        if buffer.nbytes >= _SHARED_FROM:
            by_size[buffer.nbytes].append(buffer)
    groups: list[list[Buffer]] = []
    for same_size in by_size.values():
        if len(same_size) == 1:
            continue
        by_digest: defaultdict[bytes, list[Buffer]] = defaultdict(list)
        for buffer in same_size:
            by_digest[hashlib.sha256(buffer.data.data).digest()].append(buffer)
        for equal in by_digest.values():
            if len(equal) > 1:
                groups += _seen_alike(model, equal)
    return groups


def _seen_alike(model: Model, equal: Sequence[Buffer]) -> list[list[Buffer]]:
    groups: list[list[Buffer]] = []
    for buffer in equal:
        users = model.users(buffer)
        for group in groups:
            if _alike([*model.users(group[0]), *users]):
                group.append(buffer)
                break
        else:
            groups.append([buffer])
    return [group for group in groups if len(group) > 1]


def _alike(tensors: Sequence[Tensor]) -> bool:
    """Whether tensors of the same bytes have the same values, stored in the same way."""
    if not tensors:
        return True
    first = tensors[0]
    seen = {(t.type, t.shape, t.sparsity is None, dequantized_with(t)) for t in tensors}
    if len(seen) > 1 or first.sparsity is None:
        return len(seen) == 1
    try:
        encoding = encoding_of(first)
        return all(same_encoding(encoding, encoding_of(tensor)) for tensor in tensors[1:])
    except (EncodingError, ModelError):
        return False
