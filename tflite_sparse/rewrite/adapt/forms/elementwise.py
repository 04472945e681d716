"""Elementwise operators in the sparse layout: constants first and 4-D, PRELU in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.rewrite.adapt.passes.adapt_pass import Applied
from tflite_sparse.rewrite.adapt.passes.canonicalize import CANONICALIZE
from tflite_sparse.rewrite.adapt.queries import (
    ACTIVATIONS,
    RANK,
    computed_inputs,
    constant_of,
    is_map,
    present,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.context import Context

__all__ = [
    "binary_refusal",
    "make_binary",
    "make_prelu",
    "prelu_refusal",
]

_CLAMPS = ("MAXIMUM", "MINIMUM")
_STEEP = 4


def binary_refusal(operator: Operator, context: Context) -> str | None:
    """Why ADD, MUL, SUB, DIV, MAXIMUM or MINIMUM has no sparse form."""
    values = computed_inputs(operator)
    if not values or not all(map(is_map, values)) or not is_map(operator.outputs[0]):
        return "does not work on 4-D fp32 maps"
    if operator.option("fused_activation_function", "NONE") not in ACTIVATIONS:
        return "fuses an activation that XNNPACK does not take"
    constants = [c for i in (0, 1) if (c := constant_of(operator, i)) is not None]
    if operator.name in _CLAMPS:
        one = bool(constants) and constants[0].size == 1
        return None if one else "takes the larger or smaller of two maps"
    if not constants:
        return _two_values_refusal(operator, context)
    return _constant_refusal(operator, constants[0], context)


def _two_values_refusal(operator: Operator, context: Context) -> str | None:
    if operator.name == "DIV":
        return "divides by a map"
    if operator.name == "MUL" or (operator.name == "ADD" and _reads_two_values(operator)):
        return None
    return None if context.allows(CANONICALIZE) else "is to be spelled otherwise"


def _reads_two_values(operator: Operator) -> bool:
    return operator.inputs[0] is not operator.inputs[1]


def _constant_refusal(operator: Operator, constant: NDArray[Any], context: Context) -> str | None:
    if constant.dtype.kind != "f" or constant.ndim > RANK:
        return "has a constant that is not fp32 or fp16"
    varying = [axis for axis, size in enumerate(_rank_four(constant).shape) if size > 1]
    if len(varying) > 1:
        return "has a constant that varies along several dimensions"
    if any(on and axis + 1 in varying for axis, on in enumerate(context.mirrored)):
        return "has a constant that varies along a reversed dimension"
    if operator.name == "DIV":
        if constant_of(operator, 1) is None:
            return "divides by a map"
        with np.errstate(all="ignore"):
            inverse = 1 / constant.astype(np.float32)
        if not np.isfinite(inverse).all():
            return "divides by zero"
    first = constant_of(operator, 0) is not None
    plain = first and constant.ndim == RANK and operator.name in ("ADD", "MUL")
    return None if plain or context.allows(CANONICALIZE) else "has its constant second or not 4-D"


def make_binary(operator: Operator, context: Context) -> Applied | None:
    """Spells a binary operator as ADD or MUL with its constant first and 4-D."""
    editor = context.editor
    if operator.name in _CLAMPS:
        return None
    left, right = constant_of(operator, 0), constant_of(operator, 1)
    activation = operator.option("fused_activation_function", "NONE")
    result = operator.outputs[0]
    if left is None and right is None:
        return _rewrite_two_values(operator, context)
    constant = present(left if left is not None else right)
    value = present(operator.inputs[1 if left is not None else 0])
    four = _rank_four(constant).astype(np.float32)
    kind = operator.name
    if kind == "SUB":
        kind = "ADD"
        if left is not None:
            value = _times(operator, context, value, -1.0)
        else:
            four = -four
    elif kind == "DIV":
        kind, four = "MUL", np.float32(1) / four
    if kind == operator.name:
        if left is not None and left.ndim == RANK:
            return None
        first = editor.constant(four, f"{result.name}/constant")
        editor.set_inputs(operator, [first, value])
        return Applied("its constant comes first, 4-D", "the sparse layout takes it only so")
    first = editor.constant(four, f"{result.name}/constant")
    editor.before(operator, kind, [first, value], [result], fused_activation_function=activation)
    editor.drop(operator)
    return Applied(f"became {kind}", f"{operator.name} has no sparse form")


def _rewrite_two_values(operator: Operator, context: Context) -> Applied | None:
    first, second = map(present, operator.inputs)
    if operator.name == "MUL" or (operator.name == "ADD" and _reads_two_values(operator)):
        return None
    editor, result = context.editor, operator.outputs[0]
    activation = operator.option("fused_activation_function", "NONE")
    if operator.name == "ADD":
        two = editor.constant(np.full((1, 1, 1, 1), 2, np.float32), f"{result.name}/constant")
        editor.before(operator, "MUL", [two, first], [result], fused_activation_function=activation)
    else:
        negative = _times(operator, context, second, -1.0)
        editor.before(
            operator, "ADD", [first, negative], [result], fused_activation_function=activation
        )
    editor.drop(operator)
    if operator.name == "ADD":
        return Applied("became MUL by 2", "a value that is read twice is counted wrongly")
    return Applied("became ADD of the negative", "SUB has no sparse form")


def _times(operator: Operator, context: Context, value: Tensor, factor: float) -> Tensor:
    editor = context.editor
    scaled = editor.value(value.shape, value, f"{value.name}/scaled")
    constant = editor.constant(
        np.full((1, 1, 1, 1), factor, np.float32), f"{value.name}/scaled/constant"
    )
    editor.before(operator, "MUL", [constant, value], [scaled])
    return scaled


def prelu_refusal(operator: Operator, context: Context) -> str | None:
    """Why a PRELU has no sparse form."""
    slope = constant_of(operator, 1)
    if slope is None or slope.dtype.kind != "f" or not is_map(operator.inputs[0]):
        return "has a slope that is computed"
    if not context.allows(CANONICALIZE):
        return f"has a sparse form in parts only, with pass {CANONICALIZE.name}"
    shape = _rank_four(slope).shape
    return None if shape[:3] == (1, 1, 1) else "has a slope that varies over the map"


def make_prelu(operator: Operator, context: Context) -> Applied:
    """Makes a PRELU a LEAKY_RELU, or slope * x + (1 - slope) * RELU(x).

    Steep slopes would round too much so; they become RELU(x) - slope * RELU(-x), of which one part
    is 0. Not by MINIMUM(x, 0): a minimum with a scalar is wrong in the sparse layout before LiteRT
    2.1.
    """
    editor = context.editor
    source, result = present(operator.inputs[0]), operator.outputs[0]
    slope = present(constant_of(operator, 1)).astype(np.float32)
    if np.all(slope == slope.flat[0]) and slope.flat[0]:
        editor.before(operator, "LEAKY_RELU", [source], [result], alpha=float(slope.flat[0]))
        editor.drop(operator)
        return Applied("became LEAKY_RELU", "PRELU has no sparse form")
    slope = _rank_four(slope)

    def value(name: str) -> Tensor:
        return editor.value(source.shape, source, f"{result.name}/{name}")

    def times(factors: NDArray[np.float32], of: Tensor, name: str) -> Tensor:
        scaled = value(name)
        constant = editor.constant(factors, f"{scaled.name}/factors")
        editor.before(operator, "MUL", [constant, of], [scaled])
        return scaled

    positive = value("positive")
    editor.before(operator, "RELU", [source], [positive])
    if np.abs(slope).max() <= _STEEP:
        parts = [times(slope, source, "sloping"), times(1 - slope, positive, "rest")]
        what = "became RELU, MUL and ADD"
    else:
        mirrored, negative = value("mirrored"), value("negative")
        editor.before(operator, "NEG", [source], [mirrored])
        editor.before(operator, "RELU", [mirrored], [negative])
        parts = [positive, times(-slope, negative, "scaled")]
        what = "became NEG, RELU, MUL and ADD"
    editor.before(operator, "ADD", parts, [result])
    editor.drop(operator)
    return Applied(what, "PRELU has no sparse form")


def _rank_four(constant: NDArray[Any]) -> NDArray[Any]:
    return constant.reshape((1,) * (RANK - constant.ndim) + constant.shape)
