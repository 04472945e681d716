"""What each kind of operator asks of the order of channels: one rule for each, in a table.

A rule ties values and gives constant operands the axes along which their data follow a value. An
operator without a rule, or one that its rule does not fit, keeps the order of all that it reads and
writes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from tflite_sparse.model.uses import trace_constant
from tflite_sparse.rewrite.adapt.queries import UNARY_KINDS, integers_of, present

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflite_sparse.model import Operator, Tensor
    from tflite_sparse.rewrite.adapt.channels.ties import Ties

__all__ = ["Followers", "follow"]

Followers: TypeAlias = "dict[tuple[int, int], Tensor]"
"""(operand, axis) of a constant -> the value whose order it follows."""

_FILTERS, _BIAS = 1, 2
_RANK = 4


class _Unfit(Exception):  # noqa: N818 - not an error: the operator keeps its order
    """An operator is not of the form that its rule is for."""


def follow(operator: Operator, ties: Ties) -> Followers | None:
    """Ties what an operator reads and writes.

    Args:
        operator: the operator.
        ties: what is tied so far.

    Returns:
        The axes of its constants that follow values; None where it is not known to work on each
        channel alone or to sum over all of them, so that all it reads and writes keeps its order.
    """
    rule = _RULES.get(operator.name)
    if rule is None or operator.intermediates or len(operator.outputs) != 1:
        return None
    if not operator.outputs[0].shape:
        return None
    try:
        return rule(operator, ties)
    except _Unfit:
        return None


def _fits(holds: object) -> None:
    if not holds:
        raise _Unfit


def _value(operator: Operator, operand: int = 0) -> Tensor:
    """An operand that is computed."""
    tensor = operator.inputs[operand] if operand < len(operator.inputs) else None
    _fits(tensor is not None and trace_constant(operator, operand) is None)
    value = present(tensor)
    _fits(value.shape)
    return value


def _constant(operator: Operator, operand: int) -> tuple[int, ...] | None:
    """The shape of an operand that is constant; None where it is left out."""
    tensor = operator.inputs[operand] if operand < len(operator.inputs) else None
    if tensor is None:
        return None
    use = trace_constant(operator, operand)
    _fits(use is not None)
    shape = present(use).constant.shape
    _fits(shape == tensor.shape)
    return shape


def _bias(operator: Operator, operand: int, result: Tensor) -> Followers:
    shape = _constant(operator, operand)
    if shape is None:
        return {}
    _fits(shape == (result.shape[-1],))
    return {(operand, 0): result}


def _convolution(operator: Operator, ties: Ties) -> Followers:
    """Sums over the channels that it reads; groups do not."""
    del ties
    source, result = _value(operator), operator.outputs[0]
    shape = _constant(operator, _FILTERS) or ()
    _fits(len(shape) == _RANK and len(source.shape) == _RANK)
    _fits((shape[0], shape[3]) == (result.shape[-1], source.shape[-1]))
    own = _bias(operator, _BIAS, result)
    return {(_FILTERS, 0): result, (_FILTERS, 3): source, **own}


def _depthwise(operator: Operator, ties: Ties) -> Followers:
    source, result = _value(operator), operator.outputs[0]
    shape = _constant(operator, _FILTERS) or ()
    _fits(len(shape) == _RANK and shape[3] == source.shape[-1] == result.shape[-1])
    own = _bias(operator, _BIAS, result)
    ties.tie(source, result)
    return {(_FILTERS, 3): result, **own}


def _transpose_convolution(operator: Operator, ties: Ties) -> Followers:
    del ties
    source, result = _value(operator, 2), operator.outputs[0]
    shape = _constant(operator, _FILTERS) or ()
    _fits(len(shape) == _RANK and _constant(operator, 0) is not None)
    _fits((shape[0], shape[3]) == (result.shape[-1], source.shape[-1]))
    own = _bias(operator, 3, result)
    return {(_FILTERS, 0): result, (_FILTERS, 3): source, **own}


def _fully_connected(operator: Operator, ties: Ties) -> Followers:
    """Reads rows of features, or whole maps, of which each pixel has all channels together."""
    del ties
    source, result = _value(operator), operator.outputs[0]
    _fits(operator.option("weights_format", "DEFAULT") == "DEFAULT")
    shape = _constant(operator, _FILTERS) or ()
    _fits(len(shape) == len(("outputs", "inputs")) and shape[0] == result.shape[-1])
    _fits(shape[1] in (source.shape[-1], math.prod(source.shape[1:])))
    own = _bias(operator, _BIAS, result)
    return {(_FILTERS, 0): result, (_FILTERS, 1): source, **own}


def _alike(operator: Operator, ties: Ties) -> Followers:
    """Works on each channel alone, with no constant that has channels."""
    source, result = _value(operator), operator.outputs[0]
    _fits(source.shape[-1] == result.shape[-1])
    ties.tie(source, result)
    return {}


def _elementwise(operator: Operator, ties: Ties) -> Followers:
    """Combines values and constants element by element, one channel with all where it has one."""
    result = operator.outputs[0]
    followers: Followers = {}
    channels = result.shape[-1] if result.shape else 1
    for operand, tensor in enumerate(operator.inputs):
        _fits(tensor is not None)
        constant = trace_constant(operator, operand) is not None
        shape = _constant(operator, operand) if constant else present(tensor).shape
        if not shape or (shape[-1] == 1 and channels > 1):
            continue
        _fits(shape[-1] == channels)
        if constant:
            followers[operand, len(shape) - 1] = result
        else:
            ties.tie(present(tensor), result)
    return followers


def _reduction(operator: Operator, ties: Ties) -> Followers:
    """Sums up along other axes than channels."""
    source = _value(operator)
    axes = integers_of(operator, 1)
    rank = len(source.shape)
    _fits(axes is not None and rank - 1 not in {axis % rank for axis in axes or ()})
    return _alike(operator, ties)


def _padding(operator: Operator, ties: Ties) -> Followers:
    """Pads other axes than channels; with one value."""
    numbers = integers_of(operator, 1)
    _fits(numbers is not None and len(numbers) == 2 * len(_value(operator).shape))
    _fits(present(numbers)[-2:] == (0, 0))
    return _alike(operator, ties)


def _reshaping(operator: Operator, ties: Ties) -> Followers:
    """Keeps channels together: the last size stays what it is, and is stated."""
    if operator.name == "RESHAPE":
        numbers = integers_of(operator, 1)
        _fits(numbers and numbers[-1] == operator.outputs[0].shape[-1])
    return _alike(operator, ties)


def _joining(operator: Operator, ties: Ties) -> Followers:
    """Joins maps along another axis than channels."""
    result = operator.outputs[0]
    axis, rank = operator.option("axis", 0), len(result.shape)
    _fits(rank and axis % rank != rank - 1)
    for operand in range(len(operator.inputs)):
        source = _value(operator, operand)
        _fits(source.shape[-1] == result.shape[-1])
        ties.tie(source, result)
    return {}


_RULES: dict[str, Callable[[Operator, Ties], Followers]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "CONCATENATION": _joining,
    **dict.fromkeys((*UNARY_KINDS, "RELU_0_TO_1"), _alike),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _alike),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _alike),
    **dict.fromkeys(
        ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU"),
        _elementwise,
    ),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduction),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _padding),
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshaping),
}
