"""Layers that look through a window or move pixels, for `nets.builder.GraphBuilder`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["Windows", "pair", "windows"]


def pair(value: Any) -> tuple[int, int]:
    """(height, width) from one number or two."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def windows(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """How many windows of a kernel there are along one dimension."""
    if padding == "SAME":
        return -(-size // stride)
    return max(0, -(-(size - (kernel - 1) * dilation) // stride))


class Windows:
    """Padding, pooling, reduction and resizing; each returns the value it makes."""

    constant: Any
    op: Any
    quantization: Any

    def pad(self, x: Value, paddings: Any, value: float | None = None) -> Value:
        """PAD with (before, after) for each dimension; PADV2 with a value."""
        amounts = np.array(paddings, np.int32)
        shape = tuple(s + int(b + a) for s, (b, a) in zip(x.shape, amounts, strict=True))
        operands = [x, self.constant(amounts)]
        if value is None:
            return self.op("PAD", operands, [(shape, x.type)], litert_schema.PadOptionsT())[0]
        if x.type == "INT8":
            # The kernel wants the value in the quantization of what it pads.
            quantized = self.quantization((x,))
            stored = np.rint(value / quantized[0][0] + quantized[1][0]).astype(np.int8)
            operands.append(self.constant(stored, quantized=quantized))
        else:
            operands.append(self.constant(np.array(value, np.float32)))
        return self.op("PADV2", operands, [(shape, x.type)], litert_schema.PadV2OptionsT())[0]

    def pad_spatial(self, x: Value, amount: Any = 1) -> Value:
        """PAD of height and width: one number, or (before, after) for both."""
        around = (amount, amount) if isinstance(amount, int) else tuple(amount)
        return self.pad(x, ((0, 0), around, around, (0, 0)))

    def pool(
        self,
        x: Value,
        kind: str = "MAX_POOL_2D",
        kernel: Any = 2,
        stride: Any = 2,
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> Value:
        """MAX_POOL_2D or AVERAGE_POOL_2D."""
        (kh, kw), (sh, sw) = pair(kernel), pair(stride)
        options = litert_schema.Pool2DOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        options.filterHeight, options.filterWidth = kh, kw
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        height = windows(x.shape[1], kh, sh, 1, padding)
        width = windows(x.shape[2], kw, sw, 1, padding)
        return self.op(kind, [x], [((x.shape[0], height, width, x.shape[3]), x.type)], options)[0]

    def max_pool(self, x: Value, **options: Any) -> Value:
        """MAX_POOL_2D, with the options of `pool`."""
        return self.pool(x, "MAX_POOL_2D", **options)

    def average_pool(self, x: Value, **options: Any) -> Value:
        """AVERAGE_POOL_2D, with the options of `pool`."""
        return self.pool(x, "AVERAGE_POOL_2D", **options)

    def reduce(
        self, x: Value, kind: str = "MEAN", axes: Any = (1, 2), keep_dims: bool = False
    ) -> Value:
        """MEAN, SUM, REDUCE_MAX and their kin."""
        gone = {axis % len(x.shape) for axis in axes}
        shape = tuple(
            1 if d in gone else s for d, s in enumerate(x.shape) if keep_dims or d not in gone
        )
        options = litert_schema.ReducerOptionsT()
        options.keepDims = keep_dims
        operands = [x, self.constant(np.array(axes, np.int32))]
        return self.op(kind, operands, [(shape, x.type)], options)[0]

    def mean(self, x: Value, axes: Any = (1, 2), keep_dims: bool = False) -> Value:
        """MEAN."""
        return self.reduce(x, "MEAN", axes, keep_dims)

    def sum(self, x: Value, axes: Any = (1, 2), keep_dims: bool = False) -> Value:
        """SUM."""
        return self.reduce(x, "SUM", axes, keep_dims)

    def resize_bilinear(
        self, x: Value, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
    ) -> Value:
        """RESIZE_BILINEAR to (height, width)."""
        options = litert_schema.ResizeBilinearOptionsT()
        options.alignCorners, options.halfPixelCenters = align_corners, half_pixel_centers
        operands = [x, self.constant(np.array(pair(size), np.int32))]
        shape = (x.shape[0], *pair(size), x.shape[3])
        return self.op("RESIZE_BILINEAR", operands, [(shape, x.type)], options)[0]

    def resize_nearest(
        self, x: Value, size: Any, align_corners: bool = False, half_pixel_centers: bool = False
    ) -> Value:
        """RESIZE_NEAREST_NEIGHBOR to (height, width)."""
        operands = [x, self.constant(np.array(pair(size), np.int32))]
        shape = (x.shape[0], *pair(size), x.shape[3])
        options = litert_schema.ResizeNearestNeighborOptionsT()
        options.alignCorners, options.halfPixelCenters = align_corners, half_pixel_centers
        return self.op("RESIZE_NEAREST_NEIGHBOR", operands, [(shape, x.type)], options)[0]
