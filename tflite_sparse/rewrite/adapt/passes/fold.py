"""Pass `fold`: what is computed from constants alone becomes a constant.

XNNPACK wants the filters of a convolution to be constants. Some converters leave a TRANSPOSE, a
RESHAPE or a CAST of a constant before them. Weights that are stored as fp16 or int8 behind a
DEQUANTIZE stay so: the runtime unpacks them by itself, and the file would grow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tflite_sparse.errors import ModelError
from tflite_sparse.model.types import dtype
from tflite_sparse.rewrite.adapt.passes.adapt_pass import SubgraphPass
from tflite_sparse.rewrite.adapt.passes.names import PassName
from tflite_sparse.rewrite.adapt.queries import constant_of, integers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Buffer, Operator, Tensor
    from tflite_sparse.rewrite.adapt.editor import Editor

__all__ = ["FOLD"]

_KINDS = frozenset({"TRANSPOSE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST"})
# What a DEQUANTIZE, which the runtime folds by itself, gives as well.
_UNPACKED = ("FLOAT16", "INT8")
_WHY = "it is computed from constants alone, and XNNPACK wants a constant"


class Fold(SubgraphPass):
    """Computes what is computed from constants alone."""

    name = PassName.FOLD
    summary = "compute filters that are computed from constants alone"
    detail = (
        "A TRANSPOSE, RESHAPE, SQUEEZE, EXPAND_DIMS or CAST of a constant becomes a constant,"
        " chains of them too; behind a DEQUANTIZE its fp16 or int8 values are moved, and stay what"
        " they are."
    )
    cost = "none"
    exact = "bit for bit"

    def change(self, editor: Editor) -> None:
        """Computes them in the order of execution, so that chains go at once."""
        seen_by_caller = editor.subgraph.interface
        for operator in list(editor.subgraph.operators):
            folded = None if seen_by_caller & {*operator.outputs} else _folded(operator)
            if folded is None:
                continue
            label = editor.label(operator)
            if folded.like is None:
                editor.settle(operator.outputs[0], folded.data)
                what = "became a constant"
            else:
                editor.dequantize(operator, folded.data, folded.like, folded.axis)
                what = "became the DEQUANTIZE of a constant"
            editor.drop(operator)
            editor.note(self, label, what, _WHY)
        editor.sweep()


FOLD = Fold()


class _Folded(NamedTuple):
    """What an operator computes from constants alone.

    Attributes:
        data: the values, or the buffer that holds them already.
        like: what they are dequantized from is stored like this constant; None where the values
            are what the operator writes.
        axis: the dimension along which the scales of that lie.
    """

    data: NDArray[Any] | Buffer
    like: Tensor | None = None
    axis: int = 0


def _folded(operator: Operator) -> _Folded | None:
    if operator.name not in _KINDS or len(operator.outputs) != 1 or not operator.inputs:
        return None
    source, result = operator.inputs[0], operator.outputs[0]
    producer = None if source is None else operator.subgraph.producer(source)
    if producer is not None:
        source = producer.inputs[0] if producer.name == "DEQUANTIZE" else None
    values = None if source is None else _values(source)
    if source is None or values is None or -1 in (result.shape_signature or ()):
        return None
    if operator.name == "CAST":
        return _cast(source, result, values) if producer is None else None
    if producer is None and source.type == result.type:
        moved = _moved(operator, values)
        # Two views of one buffer could not be stored sparse, neither of them.
        alone = operator.name != "TRANSPOSE" and len(operator.subgraph.consumers(source)) == 1
        return None if moved is None else _Folded(source.buffer if alone else moved)
    if producer is None or source.type not in _UNPACKED or result.type != "FLOAT32":
        return None
    moved, axis = _moved(operator, values), _scale_axis(operator, source)
    return None if moved is None or axis is None else _Folded(moved, source, axis)


def _values(tensor: Tensor) -> NDArray[Any] | None:
    """The values of a constant that is stored dense, in types that numpy knows."""
    if tensor.sparsity is not None or tensor.is_variable or dtype(tensor.type) is None:
        return None
    if tensor.subgraph.producer(tensor) is not None:
        return None
    try:
        return tensor.data
    except ModelError:
        # A damaged constant stays as it is.
        return None


def _moved(operator: Operator, values: NDArray[Any]) -> NDArray[Any] | None:
    """The values in the order and shape of the result; None where that cannot be told."""
    shape = operator.outputs[0].shape
    if any(constant_of(operator, operand) is None for operand in range(1, len(operator.inputs))):
        return None
    if operator.name == "TRANSPOSE":
        order = integers_of(operator, 1)
        if order is None or sorted(order) != list(range(values.ndim)):
            return None
        values = np.ascontiguousarray(values.transpose(order))
        return values if values.shape == shape else None
    return values.reshape(shape) if math.prod(shape) == values.size else None


def _scale_axis(operator: Operator, source: Tensor) -> int | None:
    """The dimension of the result that scales belong to; None where it is not one dimension."""
    quantization = source.quantization
    if quantization is None or quantization["scale"] is None:
        return 0 if source.type == "FLOAT16" else None
    if quantization["details"] is not None:
        return None
    axis, shape = int(quantization["quantized_dimension"]), operator.outputs[0].shape
    if quantization["scale"].size <= 1:
        return 0
    if axis not in range(len(source.shape)):
        return None
    if operator.name == "TRANSPOSE":
        return (integers_of(operator, 1) or ()).index(axis)
    # The dimension of the same size, with as much before it.
    before = math.prod(source.shape[:axis])
    return next(
        (
            number
            for number, size in enumerate(shape)
            if size == source.shape[axis] and math.prod(shape[:number]) == before
        ),
        None,
    )


def _cast(source: Tensor, result: Tensor, values: NDArray[Any]) -> _Folded | None:
    to = dtype(result.type)
    if to is None or values.shape != result.shape or values.dtype.kind not in "iufb":
        return None
    if source.type in _UNPACKED and result.type == "FLOAT32":
        return _Folded(source.buffer, source)
    # Floats that no integer holds become whatever the processor makes of them.
    exact = to.kind == "f" and result.type != "FLOAT64" and values.dtype.kind in "iuf"
    return _Folded(values.astype(to)) if exact else None
