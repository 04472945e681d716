"""Operators that resize a map or reduce dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tflite_sparse.torch.operators.moving import picked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.torch.operators.lowering import Lowering, Rule, Step

__all__ = ["RESIZING"]


def _modes(op: Lowering) -> tuple[bool, bool]:
    return (
        bool(op.option("align_corners", default=False)),
        bool(op.option("half_pixel_centers", default=False)),
    )


def _scale(before: int, after: int, *, aligned: bool) -> np.float32:
    if aligned and after > 1:
        return np.float32(before - 1) / np.float32(after - 1)
    return np.float32(before) / np.float32(after)


def _bilinear(op: Lowering) -> Step:
    _, height, width, _ = op.shape()
    size = op.integers(1)
    aligned, centred = _modes(op)
    if (aligned or centred) and min(height, width, *size) > 1:

        def run(x: Tensor, _: Tensor) -> Tensor:
            y = functional.interpolate(
                x.permute(0, 3, 1, 2), size, mode="bilinear", align_corners=aligned
            )
            return y.permute(0, 2, 3, 1)

        return run
    taps = [
        (axis, *_taps(before, after, aligned=aligned, centred=centred))
        for axis, before, after in ((1, height, size[0]), (2, width, size[1]))
    ]

    def gather(x: Tensor, _: Tensor) -> Tensor:
        for axis, lower, upper, share in taps:
            low, high = picked(x, axis, lower), picked(x, axis, upper)
            shape = [-1 if dimension == axis else 1 for dimension in range(x.ndim)]
            x = low + (high - low) * torch.as_tensor(share, device=x.device).reshape(shape)
        return x

    return gather


def _taps(
    before: int, after: int, *, aligned: bool, centred: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Between which two places each of the result lies, and how far from the first.

    As ComputeInterpolationValues of the runtime's reference kernels.
    """
    places = np.arange(after, dtype=np.float32)
    scale = _scale(before, after, aligned=aligned)
    half = np.float32(0.5 if centred else 0)
    places = (places + half) * scale - half
    lower = np.maximum(np.floor(places), 0).astype(np.int64)
    upper = np.minimum(np.ceil(places), before - 1).astype(np.int64)
    return np.minimum(lower, before - 1), upper, (places - lower).astype(np.float32)


def _nearest(op: Lowering) -> Step:
    _, height, width, _ = op.shape()
    size = op.integers(1)
    aligned, centred = _modes(op)
    places = []
    for axis, before, after in ((1, height, size[0]), (2, width, size[1])):
        scale = _scale(before, after, aligned=aligned)
        exact = (np.arange(after, dtype=np.float32) + np.float32(0.5 * centred)) * scale
        # Half away from zero, as the runtime rounds.
        whole = np.floor(exact + np.float32(0.5)) if aligned else np.floor(exact)
        places.append((axis, np.clip(whole, 0, before - 1).astype(np.int64)))

    def run(x: Tensor, _: Tensor) -> Tensor:
        for axis, index in places:
            x = picked(x, axis, index)
        return x

    return run


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Rule:
    def rule(op: Lowering) -> Step:
        axes = sorted({op.axis(number) for number in op.integers(1)})
        keep = bool(op.option("keep_dims", default=False))
        if not axes:
            return lambda x, _: x
        return lambda x, _: function(x, axes, keep)

    return rule


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in reversed(axes):
        x = x.prod(axis, keepdim=keep)
    return x


RESIZING: dict[str, Rule] = {
    "RESIZE_BILINEAR": _bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "MEAN": _reduced(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "SUM": _reduced(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "REDUCE_MAX": _reduced(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "REDUCE_MIN": _reduced(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "REDUCE_PROD": _reduced(_product),
}
