"""Checks that the shapes and operands in a file are those that the runtime would compute.

The runtime computes all shapes itself and ignores those in the file, but adapting relies on them.
A subgraph with other shapes, or with operators that lack operands, is therefore left alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tflite_sparse.errors import ModelError
from tflite_sparse.model.sizes.computing import COMPUTING
from tflite_sparse.model.sizes.moving import MOVING
from tflite_sparse.model.sizes.operands import Operands, Shape
from tflite_sparse.rewrite.adapt.option_tables import has_own_options
from tflite_sparse.xnnpack.stages.delegate.operators import UNARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Subgraph

__all__ = ["shape_mismatch"]


def shape_mismatch(subgraph: Subgraph) -> tuple[Operator, str] | None:
    """The first operator that the file describes wrongly, and what is wrong; None if all fit."""
    computed = set(subgraph.inputs)
    for op in subgraph.operators:
        if any(t is not None and t not in computed and subgraph.producer(t) for t in op.inputs):
            return op, "reads a tensor before it is computed"
        if any(t in computed or t.is_constant for t in op.outputs):
            return op, "writes a tensor that has its value already"
        if not has_own_options(op):
            return op, "has the options of another operator"
        computed.update(op.outputs)
        rule = _RULES.get(op.name)
        if rule is not None and not _fits(op, *rule):
            return op, "has operands or a shape that do not fit together"
    return None


def _fits(operator: Operator, operands: int, expected: Callable[[Operands], Shape | None]) -> bool:
    if len(operator.outputs) != 1 or len(operator.inputs) < operands:
        return False
    if any(tensor is None for tensor in operator.inputs[:operands]):
        return False
    try:
        shape = expected(Operands(operator))
    except (IndexError, ValueError, ModelError):
        return False
    return shape is None or shape == operator.outputs[0].shape


def _reshape(operands: Operands) -> Shape:
    result = operands.operator.outputs[0].shape
    if math.prod(result) != math.prod(operands.shape(0)):
        raise ValueError("another number of elements")
    return result


_KINDS = (
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE",
    "DIV", "FULLY_CONNECTED", "MATRIX_SET_DIAG", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL",
    "PAD", "PRELU", "RESIZE_BILINEAR", "SUB", "SUM",
)  # fmt: skip

_RULES: dict[str, tuple[int, Callable[[Operands], Shape | None]]] = {
    **{kind: COMPUTING.get(kind) or MOVING[kind] for kind in (*_KINDS, *UNARY)},
    "PRELU": (2, COMPUTING["PRELU"][1]),
    "RESHAPE": (1, _reshape),
}
