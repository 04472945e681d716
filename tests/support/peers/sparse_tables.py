"""Sparse tensors as LiteRT's object API stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tflite_sparse.encoding import Level, SparseEncoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TYPES", "encoding_of", "sparse_tensors", "sparsity_of"]

# The types of sparse constants: numpy's names, and the format's.
TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8"}
_DTYPES = {
    getattr(litert_schema.TensorType, name): np.dtype(dtype) for dtype, name in TYPES.items()
}
_VECTORS = {"|u1": "Uint8Vector", "<u2": "Uint16Vector", "<i4": "Int32Vector"}


def _vector(values: np.ndarray) -> tuple[int, Any]:
    name = _VECTORS[values.dtype.str]
    table = getattr(litert_schema, f"{name}T")()
    table.values = values
    return getattr(litert_schema.SparseIndexVector, name), table


def sparsity_of(encoding: SparseEncoding) -> Any:
    """The SparsityParametersT of an encoding."""
    sparsity = litert_schema.SparsityParametersT()
    sparsity.traversalOrder = np.array(encoding.traversal_order, np.int32)
    if encoding.block_map is not None:
        sparsity.blockMap = np.array(encoding.block_map, np.int32)
    sparsity.dimMetadata = []
    for level in encoding.levels:
        table = litert_schema.DimensionMetadataT()
        if level.segments is None:
            table.format = litert_schema.DimensionType.DENSE
            table.denseSize = level.dense_size
        else:
            table.format = litert_schema.DimensionType.SPARSE_CSR
            table.arraySegmentsType, table.arraySegments = _vector(level.segments)
            table.arrayIndicesType, table.arrayIndices = _vector(level.indices)
        sparsity.dimMetadata.append(table)
    return sparsity


def encoding_of(shape: Sequence[int], sparsity: Any, values: np.ndarray) -> SparseEncoding:
    """The encoding that a SparsityParametersT describes."""
    levels = []
    for table in sparsity.dimMetadata:
        if table.format == litert_schema.DimensionType.DENSE:
            levels.append(Level(table.denseSize))
        else:
            segments, indices = table.arraySegments.values, table.arrayIndices.values
            levels.append(Level(table.denseSize, np.asarray(segments), np.asarray(indices)))
    return SparseEncoding(
        tuple(int(size) for size in shape),
        tuple(int(entry) for entry in sparsity.traversalOrder),
        None if sparsity.blockMap is None else tuple(int(entry) for entry in sparsity.blockMap),
        tuple(levels),
        values,
    )


def sparse_tensors(model: Any) -> Iterator[tuple[str, SparseEncoding]]:
    """Name and encoding of every sparse tensor of a ModelT."""
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.sparsity is not None:
                values = np.asarray(model.buffers[tensor.buffer].data).view(_DTYPES[tensor.type])
                yield tensor.name.decode(), encoding_of(tensor.shape, tensor.sparsity, values)
