"""Sparse tensors as LiteRT's own DENSIFY sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tests.support.nets.every_table import pack
from tests.support.peers.sparse_tables import TYPES, sparsity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tflite_sparse.encoding import SparseEncoding

__all__ = ["densified"]


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
        name = TYPES[dtype or encoding.values.dtype.name]
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
