"""Operators that no kernel of a stock runtime runs: the model does not load there.

XNNPACK takes such an operator, or LiteRT asks its own kernel, which is missing or refuses the
operands in its Prepare. An app may bring a kernel of its own, so that all else goes on as planned.

Sources: tflite/core/kernels/register.cc for custom operators, the Prepare functions in
tflite/kernels/*.cc for operands. Shapes between operators are computed by the runtime, whatever the
file says; so only channels are compared, which follow from filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.words.numbers import count_of
from tflite_sparse.xnnpack.explain.wording import reason
from tflite_sparse.xnnpack.plan_types import Outcome
from tflite_sparse.xnnpack.stages.delegate.operators import BINARY, UNARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tflite_sparse.model import Operator, Subgraph, Tensor
    from tflite_sparse.xnnpack.plan_types import Reason
    from tflite_sparse.xnnpack.stages.delegate.delegate import Delegation

__all__ = ["STOCK_CUSTOM_OPERATORS", "missing_kernels", "outcome_of"]

STOCK_CUSTOM_OPERATORS = {
    "AudioSpectrogram": 1,
    "Mfcc": 2,
    "NumericVerify": 2,
    "TFLite_Detection_PostProcess": 3,
}
"""Custom operators that LiteRT brings along, with whichever set of kernels, and their operands.

Their kernels read options where none are. Source: tflite/kernels/audio_spectrogram.cc and its like,
Init and Prepare.
"""

_MAP = 4
_MATRIX = 2
_BIAS = 2
_NO_BIAS = "no-bias"
_BIAS_READ_BLINDLY = "no-bias-crash"
_OPTIONS_READ_BLINDLY = "no-options-crash"
_KEEPS = frozenset(
    {"AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"}
    | set(UNARY)
)

# Known sizes of last dimensions, by the index of the tensor.
_Channels = dict[int, int]


def missing_kernels(delegation: Delegation, subgraph: Subgraph) -> tuple[Reason, ...]:
    """Why a stock runtime does not load a subgraph; () where it has all the kernels.

    Args:
        delegation: what XNNPACK takes.
        subgraph: the subgraph.
    """
    return tuple(_missing(delegation, subgraph))


def outcome_of(missing: Sequence[Reason]) -> Outcome:
    """What a stock runtime does for lack of kernels.

    Args:
        missing: why it does not run a subgraph, at least one reason.
    """
    # Options are read before LiteRT misses any other kernel, and biases only when all are there.
    rules = {why.rule for why in missing}
    crashes = _OPTIONS_READ_BLINDLY in rules or rules == {_BIAS_READ_BLINDLY}
    return Outcome.PROCESS_ABORT if crashes else Outcome.LOAD_FAILURE


def _missing(delegation: Delegation, subgraph: Subgraph) -> Iterator[Reason]:
    inside = {op.index for run in delegation.partitions for op in run.operators}
    channels: _Channels = {}
    for op in subgraph.operators:
        if op.name == "CUSTOM" and op.index not in inside:
            yield from _custom(op)
        rule = _RULES.get(op.name)
        why = None if rule is None else rule(op, channels)
        if why is not None:
            found, wanted = why
            yield reason(
                "operands-rejected",
                op,
                f"has operands that its kernels reject: {found}, wanted {wanted}",
                operand="input",
                found=found,
                wanted=wanted,
            )
        if op.name in _WITH_BIAS and _operand(op, _BIAS) is None:
            yield _without_bias(op)
        _follow(op, channels)


def _custom(op: Operator) -> Iterator[Reason]:
    custom = op.custom_code or op.name
    operands = STOCK_CUSTOM_OPERATORS.get(custom)
    if operands is None:
        yield reason(
            "custom-operator",
            op,
            "is a custom operator that LiteRT does not bring along: an app must register it",
            found=custom,
            wanted="an operator of LiteRT",
        )
    elif op.table["custom_options"] is None and not op.table["large_custom_options_size"]:
        yield reason(
            _OPTIONS_READ_BLINDLY,
            op,
            "has no options, which LiteRT's kernel reads all the same",
            found="none",
            wanted="options",
        )
    elif len(op.inputs) != operands:
        yield reason(
            "operands-rejected",
            op,
            f"has {count_of(len(op.inputs), 'operand')}, its kernel takes {operands}",
            operand="input",
            found=str(len(op.inputs)),
            wanted=str(operands),
        )


def _without_bias(op: Operator) -> Reason:
    # Only depthwise convolutions may lack the operand by their Prepare (tflite/kernels/conv.cc,
    # depthwise_conv.cc); the optimized kernel then reads it all the same.
    crashes = op.name == "DEPTHWISE_CONV_2D" and len(op.inputs) == _BIAS
    return reason(
        _BIAS_READ_BLINDLY if crashes else _NO_BIAS,
        op,
        "has no bias, which LiteRT's kernel reads all the same"
        if crashes
        else "has no bias, without which LiteRT's kernel does not start",
        operand="bias",
        found="none",
        wanted="a bias",
    )


_WITH_BIAS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_Why = tuple[str, str] | None


def _of(tensor: Tensor | None, channels: _Channels) -> int | None:
    """The size of a tensor's last dimension; None where it is not known before it runs."""
    if tensor is None or not tensor.shape:
        return None
    stated = channels.get(tensor.index)
    if stated is not None:
        return stated
    signature = tensor.shape_signature
    dynamic = signature is not None and any(size < 0 for size in signature[-1:])
    return None if dynamic or tensor.shape[-1] < 1 else tensor.shape[-1]


def _operand(op: Operator, position: int, rank: int | None = None) -> Tensor | None:
    tensor = op.inputs[position] if len(op.inputs) > position else None
    return tensor if tensor is not None and (rank is None or len(tensor.shape) == rank) else None


def _convolution(op: Operator, channels: _Channels) -> _Why:
    size, filt = _of(_operand(op, 0, _MAP), channels), _operand(op, 1, _MAP)
    if size is None or filt is None or filt.shape[3] < 1:
        return None
    groups, rest = divmod(size, filt.shape[3])
    if rest or not groups:
        return f"{size} channels for a filter of {filt.shape[3]}", f"a multiple of {filt.shape[3]}"
    if filt.shape[0] % groups:
        return f"{filt.shape[0]} filters in {groups} groups", "as many in each"
    return None


def _depthwise(op: Operator, channels: _Channels) -> _Why:
    size, filt = _of(_operand(op, 0, _MAP), channels), _operand(op, 1, _MAP)
    if size is None or filt is None or filt.shape[3] % size == 0:
        return None
    return f"{filt.shape[3]} depthwise filters for {size} channels", f"a multiple of {size}"


def _transposed(op: Operator, channels: _Channels) -> _Why:
    filt, size = _operand(op, 1, _MAP), _of(_operand(op, 2, _MAP), channels)
    if size is None or filt is None or size == filt.shape[3]:
        return None
    return f"{size} channels for a filter of {filt.shape[3]}", f"{filt.shape[3]} of them"


def _fully_connected(op: Operator, channels: _Channels) -> _Why:
    size, filt = _of(_operand(op, 0), channels), _operand(op, 1)
    if filt is None or not filt.shape:
        return None
    if len(filt.shape) != _MATRIX:
        return f"a filter of {len(filt.shape)} dimensions", f"of {_MATRIX}"
    keeps = op.option("keep_num_dims", default=False)
    if not keeps or size is None or size == filt.shape[1]:
        return None
    return f"{size} inputs for a filter of {filt.shape[1]}", f"{filt.shape[1]} of them"


def _binary(op: Operator, channels: _Channels) -> _Why:
    one, other = (_of(_operand(op, position), channels) for position in (0, 1))
    if one is None or other is None or one == other or 1 in (one, other):
        return None
    return f"{one} channels and {other}", "sizes that broadcast"


_RULES: dict[str, Callable[[Operator, _Channels], _Why]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _fully_connected,
    **dict.fromkeys(BINARY, _binary),
}


def _follow(op: Operator, channels: _Channels) -> None:
    """Notes the channels of what an operator makes, where they follow from its operands."""
    if len(op.outputs) != 1:
        return
    size: int | None = None
    filt = _operand(op, 1)
    if op.name in ("CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"):
        size = filt.shape[0] if filt is not None and filt.shape else None
    elif op.name == "DEPTHWISE_CONV_2D":
        size = filt.shape[-1] if filt is not None and filt.shape else None
    elif op.name in _KEEPS:
        size = _of(_operand(op, 0), channels)
    elif op.name in BINARY:
        sizes = [_of(_operand(op, position), channels) for position in (0, 1)]
        size = None if None in sizes else max(n for n in sizes if n is not None)
    if size:
        channels[op.outputs[0].index] = size
