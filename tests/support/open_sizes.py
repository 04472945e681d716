"""Models whose height and width are open, as a converter writes them: with 1 in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.schema_py_generated import BuiltinOperator

from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["opened"]

_MAP = 4
_UNPACKING = (BuiltinOperator.DENSIFY, BuiltinOperator.DEQUANTIZE)


def opened(model: bytes, axes: Collection[int] = (1, 2)) -> bytes:
    """A model with some sizes of its maps left open.

    Args:
        model: a model of fixed size.
        axes: which: 0 is the batch, 1 the height, 2 the width.
    """
    tables = load(model)
    codes = [code.builtinCode for code in tables.operatorCodes]
    for graph in tables.subgraphs:
        unpacked = {
            index
            for op in graph.operators
            if codes[op.opcodeIndex] in _UNPACKING
            for index in op.outputs
        }
        for index, tensor in enumerate(graph.tensors):
            is_constant = tables.buffers[tensor.buffer].data is not None or index in unpacked
            if is_constant or len(tensor.shape) != _MAP:
                continue
            sizes = [int(size) for size in tensor.shape]
            free = [axis for axis in axes if sizes[axis] > 1 or axis == 0]
            if free:
                signature = [-1 if axis in free else size for axis, size in enumerate(sizes)]
                tensor.shapeSignature = np.array(signature, np.int32)
                placeholder = [1 if axis in free else size for axis, size in enumerate(sizes)]
                tensor.shape = np.array(placeholder, np.int32)
    return pack(tables)
