"""Buffers that hold the same bytes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflite_sparse.model import Buffer

__all__ = ["equal_buffers"]

_SHARED_FROM = 1024


def equal_buffers(buffers: list[Buffer]) -> list[list[Buffer]]:
    """Groups of buffers of 1 KiB and more with equal contents, each in the order of the file."""
    by_size: defaultdict[int, list[Buffer]] = defaultdict(list)
    for buffer in buffers:
        if buffer.nbytes >= _SHARED_FROM:
            by_size[buffer.nbytes].append(buffer)
    groups = []
    for same_size in by_size.values():
        if len(same_size) == 1:
            continue
        by_digest: defaultdict[bytes, list[Buffer]] = defaultdict(list)
        for buffer in same_size:
            by_digest[hashlib.sha256(buffer.data.data).digest()].append(buffer)
        groups += [group for group in by_digest.values() if len(group) > 1]
    return groups
