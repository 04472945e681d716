"""A small encoder of Google's sparse layout, for tests only, apart from the package's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

__all__ = ["google_sparsity"]


def _vector(values: np.ndarray) -> tuple[int, Any]:
    largest = int(values.max(initial=0))
    for limit, kind, name in (
        (255, np.uint8, "Uint8Vector"),
        (65535, np.uint16, "Uint16Vector"),
        (2**31 - 1, np.int32, "Int32Vector"),
    ):
        if largest <= limit:
            table = getattr(litert_schema, f"{name}T")()
            table.values = values.astype(kind)
            return getattr(litert_schema.SparseIndexVector, name), table
    raise AssertionError(largest)


def google_sparsity(array: np.ndarray) -> tuple[Any, np.ndarray]:
    """The SparsityParametersT of a tensor and its stored values: last dimension compressed."""
    rows = array.reshape(-1, array.shape[-1])
    kept = rows != 0
    sparsity = litert_schema.SparsityParametersT()
    sparsity.traversalOrder = np.arange(array.ndim, dtype=np.int32)
    sparsity.dimMetadata = []
    for size in array.shape[:-1]:
        level = litert_schema.DimensionMetadataT()
        level.format = litert_schema.DimensionType.DENSE
        level.denseSize = size
        sparsity.dimMetadata.append(level)
    level = litert_schema.DimensionMetadataT()
    level.format = litert_schema.DimensionType.SPARSE_CSR
    segments = np.concatenate([[0], kept.sum(axis=1).cumsum()])
    level.arraySegmentsType, level.arraySegments = _vector(segments)
    level.arrayIndicesType, level.arrayIndices = _vector(kept.nonzero()[1])
    sparsity.dimMetadata.append(level)
    return sparsity, rows[kept]
