"""Operators that look at maps through a window: convolutions and pooling."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from tflite_sparse.torch.operators.lowering import Lowering, Rule, Step, activation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WINDOWS"]

_RANK = 4
_SAME, _VALID = 1, 2  # padding in the options of MediaPipe's custom operators

Pair = tuple[int, int]
Around = tuple[Pair, Pair]


def _pair(op: Lowering, names: str, default: int = 1) -> Pair:
    return (
        int(op.option(names.format("h"), default)) or default,
        int(op.option(names.format("w"), default)) or default,
    )


def _around(op: Lowering, sizes: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Around:
    """What is padded before and after height and width, as the runtime's ComputePadding does."""
    if op.option("padding", "SAME") != "SAME":
        return (0, 0), (0, 0)
    both = []
    for size, k, step, spread in zip(sizes, kernel, stride, dilation, strict=True):
        reach = (k - 1) * spread + 1
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        both.append((total // 2, total - total // 2))
    return both[0], both[1]


def _padded(around: Around, value: float = 0.0) -> tuple[Callable[[Tensor], Tensor], Pair]:
    """What pads a map, and what a convolution can do of it itself."""
    (top, bottom), (left, right) = around
    if top == bottom and left == right:
        return (lambda x: x), (top, left)
    amounts = (0, 0, left, right, top, bottom)
    return (lambda x: functional.pad(x, amounts, value=value)), (0, 0)


def _first(x: Tensor) -> Tensor:
    """A map as PyTorch's layers see it, channels before height and width; nothing is moved."""
    return x.permute(0, 3, 1, 2)


def _last(x: Tensor) -> Tensor:
    """The way back from `_first`."""
    return x.permute(0, 2, 3, 1)


def _map(op: Lowering, operand: int = 0) -> tuple[int, ...]:
    shape = op.shape(operand)
    if len(shape) != _RANK:
        raise op.refused(f"reads a map of {len(shape)} dimensions")
    return shape


def _convolution(op: Lowering) -> Step:
    _, *sizes, channels = _map(op)
    _, *kernel, inputs = _map(op, 1)
    if inputs < 1 or channels % inputs:
        raise op.refused(f"reads {channels} channels with a filter for {inputs}")
    return _convolved(op, (sizes[0], sizes[1]), (kernel[0], kernel[1]), channels // inputs, _first)


def _depthwise(op: Lowering) -> Step:
    _, *sizes, channels = _map(op)
    _, *kernel, outputs = _map(op, 1)
    if outputs % channels:
        raise op.refused(f"makes {outputs} channels of {channels}")
    return _convolved(
        op,
        (sizes[0], sizes[1]),
        (kernel[0], kernel[1]),
        channels,
        # [1, height, width, outputs]: PyTorch has a depthwise filter's only input second.
        lambda filters: filters.permute(3, 0, 1, 2),
    )


def _convolved(
    op: Lowering, sizes: Pair, kernel: Pair, groups: int, seen: Callable[[Tensor], Tensor]
) -> Step:
    stride, dilation = _pair(op, "stride_{}"), _pair(op, "dilation_{}_factor")
    pad, padding = _padded(_around(op, sizes, kernel, stride, dilation))

    def run(x: Tensor, filters: Tensor, bias: Tensor | None = None) -> Tensor:
        y = functional.conv2d(
            _first(pad(x)), seen(filters), bias, stride, padding, dilation, groups
        )
        return _last(y)

    return activation(run, op.activation())


def _transposed(op: Lowering) -> Step:
    _, height, width, _ = op.integers(0)
    stride = _pair(op, "stride_{}")
    run = _deconvolved(op, (height, width), stride, 2)
    return activation(lambda _size, filters, x, bias=None: run(x, filters, bias), op.activation())


def _mediapipe_transposed(op: Lowering) -> Step:
    """MediaPipe's Convolution2DTransposeBias; its options are TfLiteTransposeConvParams."""
    options = op.operator.table["custom_options"]
    if options is None or options.nbytes < struct.calcsize("<3i"):
        raise op.refused("has no options")
    padding, step_w, step_h = struct.unpack_from("<3i", options.tobytes())
    _, height, width, _ = _map(op)
    _, kernel_h, kernel_w, _ = _map(op, 1)
    if padding == _SAME:
        size = height * step_h, width * step_w
    elif padding == _VALID:
        size = (height - 1) * step_h + kernel_h, (width - 1) * step_w + kernel_w
    else:
        raise op.refused(f"has padding {padding}")
    return _deconvolved(op, size, (step_h, step_w), 0)


def _deconvolved(op: Lowering, size: Pair, stride: Pair, operand: int) -> Step:
    """Each value of a map spreads over a window of the result; what lies outside is cut off."""
    sizes, kernel = _map(op, operand)[1:3], _map(op, 1)[1:3]
    cuts = []
    for whole, inner, k, step in zip(size, sizes, kernel, stride, strict=True):
        # As the runtime pads the convolution that leads from the result to the map.
        before = max((inner - 1) * step + k - whole, 0) // 2
        reached = (inner - 1) * step + k
        cuts.append((-before, whole - reached + before))
    (top, bottom), (left, right) = cuts
    amounts = (0, 0, left, right, top, bottom)

    def run(x: Tensor, filters: Tensor, bias: Tensor | None = None) -> Tensor:
        y = functional.conv_transpose2d(_first(x), filters.permute(3, 0, 1, 2), None, stride)
        y = functional.pad(_last(y), amounts)
        return y if bias is None else y + bias

    return run


def _max_pool(op: Lowering) -> Step:
    kernel, stride, around = _window(op)
    pad, padding = _padded(around, -torch.inf)
    return activation(
        lambda x: _last(functional.max_pool2d(_first(pad(x)), kernel, stride, padding)),
        op.activation(),
    )


def _averaged(op: Lowering) -> Callable[[Tensor], Tensor]:
    """The mean over each window, in which padding does not count."""
    kernel, stride, around = _window(op)
    pad, padding = _padded(around)
    if around[0][0] == around[0][1] and around[1][0] == around[1][1]:
        return lambda x: _last(
            functional.avg_pool2d(_first(x), kernel, stride, padding, count_include_pad=False)
        )

    def run(x: Tensor) -> Tensor:
        here = pad(x.new_ones(1, *x.shape[1:3], 1))
        counts = functional.avg_pool2d(_first(here), kernel, stride, divisor_override=1)
        sums = functional.avg_pool2d(_first(pad(x)), kernel, stride, divisor_override=1)
        return _last(sums / counts)

    return run


def _average_pool(op: Lowering) -> Step:
    return activation(_averaged(op), op.activation())


def _l2_pool(op: Lowering) -> Step:
    mean = _averaged(op)
    return activation(lambda x: mean(x * x).sqrt(), op.activation())


def _window(op: Lowering) -> tuple[Pair, Pair, Around]:
    _, height, width, _ = _map(op)
    kernel = int(op.option("filter_height", 1)), int(op.option("filter_width", 1))
    stride = _pair(op, "stride_{}")
    return kernel, stride, _around(op, (height, width), kernel, stride, (1, 1))


WINDOWS: dict[str, Rule] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "Convolution2DTransposeBias": _mediapipe_transposed,
    "MAX_POOL_2D": _max_pool,
    "AVERAGE_POOL_2D": _average_pool,
    "L2_POOL_2D": _l2_pool,
}
