"""Integers that a model computes of shapes while it runs, worked out ahead.

Converters write SHAPE, STRIDED_SLICE, PACK and the like in front of a RESHAPE or RESIZE whose size
depends on an open one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import TfliteSparseError
from tflite_sparse.model.sizes.moving import concatenated, sliced, squeezed
from tflite_sparse.model.types import dtype

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.model.sizes.operands import Operands

__all__ = ["integers_computed"]

_MOST = 64
"""Arrays with more elements are no shapes."""

Array = Any


def integers_computed(operands: Operands) -> NDArray[Any] | None:
    """The value of the output of an operator that computes with shapes; None for any other.

    Args:
        operands: the operator, and what is known of its operands.
    """
    operator = operands.operator
    rule = _RULES.get(operator.name)
    kind = dtype(operator.outputs[0].type) if len(operator.outputs) == 1 else None
    if rule is None or kind is None or kind.kind not in "iufb":
        return None
    try:
        arrays = []
        for operand in range(len(operands) if operator.name != "SHAPE" else 0):
            array = operands.array(operand)
            if array is None or array.size > _MOST:
                return None
            arrays.append(array)
        with np.errstate(all="ignore"):
            value = rule(operands, *arrays)
    except (ArithmeticError, IndexError, TfliteSparseError, TypeError, ValueError):
        return None
    if value is None or np.size(value) > _MOST:
        return None
    # A copy: what is sliced is a view of the file.
    return np.array(value).astype(kind)


def _gather(operands: Operands, values: Array, indices: Array) -> Array:
    if operands.option("batch_dims", 0):
        return None
    return np.take(values, indices, int(operands.option("axis", 0)))


def _reduced(function: Callable[..., Any]) -> Callable[..., Array]:
    def rule(operands: Operands, values: Array, axes: Array) -> Array:
        keep = bool(operands.option("keep_dims", default=False))
        return function(values, axis=tuple(axes.reshape(-1).tolist()), keepdims=keep)

    return rule


def _divided(_: Operands, left: Array, right: Array) -> Array:
    if left.dtype.kind == "f":
        return left / right
    # Towards zero, as C++ does.
    return np.trunc(left / right)


def _concatenated(operands: Operands, *arrays: Array) -> Array:
    concatenated(operands)
    return np.concatenate(arrays, int(operands.option("axis", 0)))


def _reshaped(operands: Operands, values: Array, *_: Array) -> Array:
    wanted = operands.integers(1)
    stated = operands.option("new_shape", None)
    return values.reshape(wanted if wanted is not None else tuple(stated))


def _few(elements: Any, numbers: Any) -> tuple[Any, ...]:
    """Numbers as arguments for an array that is no larger than a shape.

    Raises:
        ValueError: it would be.
    """
    if not abs(elements) <= _MOST:
        raise ValueError("no shape")
    return tuple(number.item() for number in numbers)


_RULES: dict[str, Callable[..., Array]] = {
    "SHAPE": lambda operands: operands.shape(0),
    "CAST": lambda _, values: values,
    "STRIDED_SLICE": lambda operands, values, *_: sliced(operands, values),
    "SLICE": lambda _, values, begins, sizes: values[
        tuple(
            slice(begin, None if size == -1 else begin + size)
            for begin, size in zip(begins.tolist(), sizes.tolist(), strict=True)
        )
    ],
    "PACK": lambda operands, *arrays: np.stack(arrays, int(operands.option("axis", 0))),
    "CONCATENATION": _concatenated,
    "RESHAPE": _reshaped,
    "SQUEEZE": lambda operands, values: values.reshape(squeezed(operands)),
    "EXPAND_DIMS": lambda _, values, axis: np.expand_dims(values, int(axis.reshape(-1)[0])),
    "GATHER": _gather,
    "REDUCE_PROD": _reduced(np.prod),
    "REDUCE_MAX": _reduced(np.max),
    "REDUCE_MIN": _reduced(np.min),
    "SUM": _reduced(np.sum),
    "ADD": lambda _, left, right: left + right,
    "SUB": lambda _, left, right: left - right,
    "MUL": lambda _, left, right: left * right,
    "DIV": _divided,
    "FLOOR_DIV": lambda _, left, right: left // right,
    "FLOOR_MOD": lambda _, left, right: left % right,
    "MAXIMUM": lambda _, left, right: np.maximum(left, right),
    "MINIMUM": lambda _, left, right: np.minimum(left, right),
    "EQUAL": lambda _, left, right: left == right,
    "NOT_EQUAL": lambda _, left, right: left != right,
    "SELECT_V2": lambda _, chosen, left, right: np.where(chosen, left, right),
    "SELECT": lambda _, chosen, left, right: np.where(chosen, left, right),
    "FILL": lambda _, shape, value: np.full(_few(shape.prod(), shape), value),
    "BROADCAST_ARGS": lambda _, left, right: np.broadcast_shapes(
        tuple(left.tolist()), tuple(right.tolist())
    ),
    "RANGE": lambda _, start, limit, step: np.arange(
        *_few((limit.item() - start.item()) / step.item(), [start, limit, step])
    ),
    "FLOOR": lambda _, values: np.floor(values),
    "CEIL": lambda _, values: np.ceil(values),
}
"""By the kind of operator: makes the value of the operator and the values of its operands."""
