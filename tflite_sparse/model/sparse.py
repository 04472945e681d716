"""The sparse encoding of a tensor: from the tables of the file and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import Level, SparseEncoding, decode, validate
from tflite_sparse.errors import EncodingError
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.flatbuffer.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model.tensor import Tensor
    from tflite_sparse.model.weights import Weight

__all__ = [
    "INDEX_VECTORS",
    "decoded",
    "encoding_of",
    "sparsity_table",
    "stored_bytes",
    "weight_bytes",
]

INDEX_VECTORS = {
    np.dtype("<i4"): "Int32Vector",
    np.dtype("<u2"): "Uint16Vector",
    np.dtype("u1"): "Uint8Vector",
}
"""The table that holds segments or indices of each type."""

_CSR = "SPARSE_CSR"


def encoding_of(tensor: Tensor) -> SparseEncoding:
    """The encoding of a sparse tensor; its arrays are views of the file.

    Raises:
        EncodingError: the tensor is stored dense, or the encoding is malformed.
        ModelError: the tensor's values cannot be read.
    """
    table = tensor.sparsity
    if table is None:
        raise EncodingError("the tensor is stored dense", place=tensor.place)
    block_map = table["block_map"]
    order = table["traversal_order"]
    encoding = SparseEncoding(
        shape=tensor.shape,
        traversal_order=() if order is None else tuple(order.tolist()),
        # An empty vector says the same as none.
        block_map=None if block_map is None or not len(block_map) else tuple(block_map.tolist()),
        levels=tuple(_level(tensor, d) for d in table["dim_metadata"] or []),
        values=tensor.stored_values,
    )
    try:
        validate(encoding)
    except EncodingError as error:
        raise error.at(**_place(tensor)) from None
    return encoding


def decoded(tensor: Tensor) -> NDArray[Any] | None:
    """The dense value of a constant, however it is stored; None where it has no value.

    A view of the file for a tensor that is stored dense, a new array for a sparse one.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape.
    """
    return tensor.data if tensor.sparsity is None else decode(encoding_of(tensor))


def sparsity_table(encoding: SparseEncoding) -> Table:
    """The SparsityParameters table of an encoding; segments and indices may be `Deferred`."""
    table = Table("SparsityParameters")
    table["traversal_order"] = np.array(encoding.traversal_order, np.int32)
    if encoding.block_map is not None:
        table["block_map"] = np.array(encoding.block_map, np.int32)
    table["dim_metadata"] = [_dimension(level) for level in encoding.levels]
    return table


def _dimension(level: Level) -> Table:
    table = Table("DimensionMetadata")
    if level.segments is None:
        table["dense_size"] = level.dense_size
        return table
    table.set_enum("format", _CSR)
    table["array_segments"] = _vector(level.segments)
    table["array_indices"] = _vector(level.indices)
    return table


def _vector(values: Any) -> Table:
    table = Table(INDEX_VECTORS[values.dtype])
    table["values"] = values
    return table


def _level(tensor: Tensor, table: Table) -> Level:
    if table.enum("format") != _CSR:
        return Level(dense_size=table["dense_size"], segments=None, indices=None)
    segments, indices = table["array_segments"], table["array_indices"]
    if segments is None or indices is None:
        raise EncodingError("a sparse dimension has no segments or no indices", place=tensor.place)
    return Level(
        dense_size=table["dense_size"], segments=_numbers(segments), indices=_numbers(indices)
    )


def _numbers(table: Table) -> NDArray[Any]:
    values = table["values"]
    if values is None:
        return np.empty(0, np.uint8)
    return values.compute() if isinstance(values, Deferred) else values


def _place(tensor: Tensor) -> dict[str, Any]:
    place = tensor.place
    return {"file": place.file, "subgraph": place.subgraph, "tensor": place.tensor}


def stored_bytes(tensor: Tensor) -> int:
    """Bytes that the file spends on a constant: values, and segments and indices when sparse."""
    total = tensor.buffer.nbytes
    if tensor.sparsity is None:
        return total
    for level in tensor.sparsity["dim_metadata"] or []:
        for part in ("array_segments", "array_indices"):
            vector = level[part]
            values = None if vector is None else vector["values"]
            total += 0 if values is None else values.nbytes
    return total


def weight_bytes(weight: Weight) -> int:
    """Bytes that the file spends on a weight, however many tensors share its data."""
    return max(stored_bytes(tensor) for tensor in weight.tensors)
