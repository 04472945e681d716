"""Operators that compute value by value, along the last dimension, or a matrix product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from tflite_sparse.torch.operators.lowering import Lowering, Rule, Step, activation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ELEMENTWISE"]

_SMALLEST_NORM = 1e-6  # of L2_NORMALIZATION, as in the runtime's kernel


def _plain(function: Callable[..., Any]) -> Rule:
    return lambda _: function


def _fused(function: Callable[..., Tensor]) -> Rule:
    return lambda op: activation(function, op.activation())


def _sum_of_all(*terms: Tensor) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _leaky_relu(op: Lowering) -> Step:
    alpha = float(op.option("alpha", 0.0))
    return lambda x: functional.leaky_relu(x, alpha)


def _gelu(op: Lowering) -> Step:
    how = "tanh" if op.option("approximate", default=False) else "none"
    return lambda x: functional.gelu(x, approximate=how)


def _along_last(op: Lowering) -> None:
    op.axis(-1)


def _softmax(op: Lowering) -> Step:
    _along_last(op)
    beta = float(op.option("beta", 1.0))
    return lambda x: functional.softmax(x * beta, -1)


def _log_softmax(op: Lowering) -> Step:
    _along_last(op)
    return lambda x: functional.log_softmax(x, -1)


def _l2_normalization(op: Lowering) -> Step:
    _along_last(op)

    def run(x: Tensor) -> Tensor:
        norm = (x * x).sum(-1, keepdim=True).sqrt()
        return x / norm.clamp_min(_SMALLEST_NORM)

    return activation(run, op.activation())


def _local_response(op: Lowering) -> Step:
    radius, bias = int(op.option("radius", 0)), float(op.option("bias", 0.0))
    alpha, beta = float(op.option("alpha", 0.0)), float(op.option("beta", 0.0))
    window = 2 * radius + 1

    def run(x: Tensor) -> Tensor:
        squares = functional.pad(x * x, (radius, radius)).unfold(-1, window, 1).sum(-1)
        return x * (bias + alpha * squares) ** -beta

    return run


def _fully_connected(op: Lowering) -> Step:
    if op.option("weights_format", "DEFAULT") != "DEFAULT":
        raise op.refused(f"has weights in the format {op.option('weights_format')}")
    units, inputs = op.shape(1)
    keep = bool(op.option("keep_num_dims", default=False))

    def run(x: Tensor, filters: Tensor, bias: Tensor | None = None) -> Tensor:
        y = functional.linear(x.reshape(-1, inputs), filters, bias)
        return y.reshape(*x.shape[:-1], units) if keep else y

    return activation(run, op.activation())


def _matrix_product(op: Lowering) -> Step:
    left, right = bool(op.option("adj_x", default=False)), bool(op.option("adj_y", default=False))
    for operand in (0, 1):
        if op.batched[operand] and len(op.shape(operand)) <= 2:  # noqa: PLR2004 - a matrix
            op.touches(0)

    def run(a: Tensor, b: Tensor) -> Tensor:
        return torch.matmul(a.mT if left else a, b.mT if right else b)

    return run


def _cast(op: Lowering) -> Step:
    kind = op.operator.outputs[0].type
    if kind not in _CASTS:
        raise op.refused(f"casts to {kind}")
    return lambda x: x.to(_CASTS[kind])


_CASTS = {
    "FLOAT32": torch.float32,
    "INT32": torch.int32,
    "INT64": torch.int64,
    "BOOL": torch.bool,
}


def _prelu(x: Tensor, slopes: Tensor) -> Tensor:
    return torch.where(x >= 0, x, x * slopes)


ELEMENTWISE: dict[str, Rule] = {
    "ADD": _fused(torch.add),
    "SUB": _fused(torch.sub),
    "MUL": _fused(torch.mul),
    "DIV": _fused(torch.div),
    "ADD_N": _plain(_sum_of_all),
    "MAXIMUM": _plain(torch.maximum),
    "MINIMUM": _plain(torch.minimum),
    "SQUARED_DIFFERENCE": _plain(lambda a, b: (a - b).square()),
    "POW": _plain(torch.pow),
    "FLOOR_DIV": _plain(torch.floor_divide),
    "FLOOR_MOD": _plain(torch.remainder),
    "RELU": _plain(functional.relu),
    "RELU6": _plain(functional.relu6),
    "RELU_N1_TO_1": _plain(lambda x: x.clamp(-1.0, 1.0)),
    "RELU_0_TO_1": _plain(lambda x: x.clamp(0.0, 1.0)),
    "LEAKY_RELU": _leaky_relu,
    "PRELU": _plain(_prelu),
    "ELU": _plain(functional.elu),
    "GELU": _gelu,
    "HARD_SWISH": _plain(functional.hardswish),
    "LOGISTIC": _plain(torch.sigmoid),
    "TANH": _plain(torch.tanh),
    "SOFTMAX": _softmax,
    "LOG_SOFTMAX": _log_softmax,
    "L2_NORMALIZATION": _l2_normalization,
    "LOCAL_RESPONSE_NORMALIZATION": _local_response,
    "ABS": _plain(torch.abs),
    "NEG": _plain(torch.neg),
    "EXP": _plain(torch.exp),
    "LOG": _plain(torch.log),
    "SQRT": _plain(torch.sqrt),
    "RSQRT": _plain(torch.rsqrt),
    "SQUARE": _plain(torch.square),
    "SIN": _plain(torch.sin),
    "COS": _plain(torch.cos),
    "CEIL": _plain(torch.ceil),
    "FLOOR": _plain(torch.floor),
    "ROUND": _plain(torch.round),
    "SIGN": _plain(torch.sign),
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrix_product,
    "CAST": _cast,
    "EQUAL": _plain(torch.eq),
    "NOT_EQUAL": _plain(torch.ne),
    "GREATER": _plain(torch.gt),
    "GREATER_EQUAL": _plain(torch.ge),
    "LESS": _plain(torch.lt),
    "LESS_EQUAL": _plain(torch.le),
    "LOGICAL_AND": _plain(torch.logical_and),
    "LOGICAL_OR": _plain(torch.logical_or),
    "LOGICAL_NOT": _plain(torch.logical_not),
    "SELECT_V2": _plain(torch.where),
}
