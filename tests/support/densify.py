"""Sparse tensors as LiteRT's own DENSIFY sees them, and as its object API stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tests.support.nets.every_table import pack
from tflite_sparse.encoding import Level, SparseEncoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["densified", "encoding_of", "sparse_tensors", "sparsity_of"]

_TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8"}
_DTYPES = {
    getattr(litert_schema.TensorType, name): np.dtype(dtype) for dtype, name in _TYPES.items()
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


def densified(
    encodings: Sequence[SparseEncoding], *, delegate: bool = False
) -> tuple[list[np.ndarray], list[str]]:
    """What LiteRT makes of sparse constants.

    Args:
        encodings: the constants.
        delegate: whether XNNPACK unpacks them, as operands of an ADD to zeros, half floats behind
            a DEQUANTIZE; otherwise the DENSIFY kernel does, and its outputs are looked at directly.

    Returns:
        The dense tensors, and the names of the operators that ran.
    """
    model = litert_schema.ModelT()
    model.version, model.description = 3, "sparse constants"
    graph = litert_schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", [], []
    model.subgraphs, model.buffers = [graph], [litert_schema.BufferT()]
    model.operatorCodes = [_code("DENSIFY"), _code("ADD"), _code("DEQUANTIZE", 3)]

    def tensor(encoding: SparseEncoding, dtype: str | None = None) -> Any:
        table = litert_schema.TensorT()
        table.name = f"tensor_{len(graph.tensors)}"
        name = _TYPES[dtype or encoding.values.dtype.name]
        table.type = getattr(litert_schema.TensorType, name)
        table.shape, table.hasRank, table.buffer = np.array(encoding.shape, np.int32), True, 0
        graph.tensors.append(table)
        return table

    inputs, outputs = [], []
    for encoding in encodings:
        constant = tensor(encoding)
        buffer = litert_schema.BufferT()
        buffer.data = encoding.values.view(np.uint8)
        model.buffers.append(buffer)
        constant.buffer, constant.sparsity = len(model.buffers) - 1, sparsity_of(encoding)
        tensor(encoding)
        graph.operators.append(_operator(0, [len(graph.tensors) - 2], len(graph.tensors) - 1))
        if delegate:
            if encoding.values.dtype == np.float16:
                tensor(encoding, "float32")
                last = len(graph.tensors) - 1
                graph.operators.append(_operator(2, [last - 1], last))
            dense = len(graph.tensors) - 1
            tensor(encoding, "float32")
            tensor(encoding, "float32")
            inputs.append(len(graph.tensors) - 2)
            graph.operators.append(_operator(1, [inputs[-1], dense], len(graph.tensors) - 1))
            graph.operators[-1].builtinOptions = litert_schema.AddOptionsT()
            graph.operators[-1].builtinOptionsType = litert_schema.BuiltinOptions.AddOptions
        outputs.append(len(graph.tensors) - 1)
    graph.inputs, graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=pack(model),
        experimental_op_resolver_type=OpResolverType.AUTO if delegate else kernels,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    for index in inputs:
        interpreter.set_tensor(index, np.zeros_like(interpreter.get_tensor(index)))
    interpreter.invoke()
    ran = [str(operator["op_name"]) for operator in interpreter._get_ops_details()]
    return [interpreter.get_tensor(index) for index in outputs], ran


def _code(name: str, version: int = 1) -> Any:
    code = litert_schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(litert_schema.BuiltinOperator, name)
    code.version = version
    return code


def _operator(code: int, inputs: list[int], output: int) -> Any:
    operator = litert_schema.OperatorT()
    operator.opcodeIndex = code
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    return operator
