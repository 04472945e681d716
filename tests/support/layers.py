"""Layers with weights, windows and shapes, for `tests.support.builder.GraphBuilder`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.builder import Value

__all__ = ["Layers", "pair", "weights"]


def pair(value: Any) -> tuple[int, int]:
    """(height, width) from one number or two."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def weights(
    rng: np.random.Generator,
    shape: Sequence[int],
    fan_in: int,
    zeros: float = 0.0,
    mask: Any = None,
) -> np.ndarray:
    """Weights of a scale that keeps activations sane.

    Args:
        rng: where they come from.
        shape: their shape.
        fan_in: how many of them one output adds up.
        zeros: share of zeros; exactly round(size * zeros) are placed at random.
        mask: where to keep values instead, as an array that broadcasts to the shape.
    """
    values = rng.standard_normal(shape).astype(np.float32) * math.sqrt(2 / max(1, fan_in))
    # What is not meant to be a zero must not be one by rounding, in half precision either.
    values = np.where(np.abs(values) < 1e-3, np.float32(1e-2), values)
    if mask is not None:
        return np.where(mask, values, np.float32(0))
    flat = values.reshape(-1)
    flat[rng.permutation(flat.size)[: round(flat.size * zeros)]] = 0
    return flat.reshape(shape)


def _window(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    if padding == "SAME":
        return -(-size // stride)
    return max(0, -(-(size - (kernel - 1) * dilation) // stride))


class Layers:
    """Layers with weights, windows and shapes; each returns the value it makes."""

    model: Any
    rng: np.random.Generator
    table: Any
    constant: Any
    op: Any
    tensor: Any

    # Weights

    def weight(
        self, array: Any, storage: str = "dense", name: str | None = None, axis: int = 0
    ) -> Value:
        """A filter as an operator reads it; storages with "int8" quantize it along `axis`."""
        if hasattr(array, "index") and not isinstance(array, np.ndarray):
            return array  # a Value: a filter that is shared
        if not storage.startswith("int8"):
            return self.constant(array, name, storage)
        others = tuple(d for d in range(array.ndim) if d != axis)
        scales = np.maximum(np.abs(array).max(axis=others), 1e-6) / 127
        shape = [-1 if d == axis else 1 for d in range(array.ndim)]
        stored = np.rint(array / scales.reshape(shape)).astype(np.int8)
        quantized = (scales, [0] * scales.size, axis)
        return self.constant(stored, name, storage.removeprefix("int8-"), quantized)

    def _scales(self, value: Value) -> np.ndarray:
        return np.asarray(self.table.tensors[value.index].quantization.scale)

    def _bias(self, x: Value, filters: Value, channels: int, storage: str) -> Value:
        values = self.rng.standard_normal(channels).astype(np.float32) * np.float32(0.1)
        if x.type != "INT8":
            return self.constant(values, None, storage)
        scales = self._scales(x) * self._filter_scales(filters)
        stored = np.rint(values / scales).astype(np.int32)
        return self.constant(stored, quantized=(scales, [0] * scales.size, 0))

    def _filter_scales(self, filters: Value) -> np.ndarray:
        return self._scales(filters)

    def _result(self, x: Value, scale: float) -> dict[str, Any]:
        return {"quantized": ([scale], [0], 0)} if x.type == "INT8" else {}

    def conv2d(
        self,
        x: Value,
        channels: int,
        kernel: Any = 1,
        stride: Any = 1,
        padding: str = "SAME",
        activation: str = "NONE",
        dilation: Any = 1,
        zeros: float = 0.0,
        mask: Any = None,
        storage: str = "dense",
        filters: Any = None,
        bias: Any = True,
        bias_storage: str = "dense",
        groups: int = 1,
        name: str | None = None,
        version: int | None = None,
    ) -> Value:
        """CONV_2D; `filters` is an array [channels, height, width, inputs] or a shared Value."""
        (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
        inputs = x.shape[3] // groups
        if filters is None:
            shape = (channels, kh, kw, inputs)
            filters = weights(self.rng, shape, kh * kw * inputs, zeros, mask)
        kernel_value = self.weight(filters, storage, name and f"{name}/filter")
        operands = [x, kernel_value]
        if bias is not None and bias is not False:
            made = bias if bias is not True else None
            operands.append(made or self._bias(x, kernel_value, channels, bias_storage))
        options = litert_schema.Conv2DOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        options.dilationHFactor, options.dilationWFactor = dh, dw
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        height = _window(x.shape[1], kh, sh, dh, padding)
        width = _window(x.shape[2], kw, sw, dw, padding)
        if version is None:
            version = 3 if x.type == "INT8" else 5 if storage.startswith("int8") else 1
        return self.op(
            "CONV_2D",
            operands,
            [((x.shape[0], height, width, channels), x.type)],
            options,
            version,
            names=[name] if name else None,
            **self._result(x, 0.05),
        )[0]

    def depthwise(
        self,
        x: Value,
        kernel: Any = 3,
        stride: Any = 1,
        padding: str = "SAME",
        activation: str = "NONE",
        multiplier: int = 1,
        dilation: Any = 1,
        zeros: float = 0.0,
        mask: Any = None,
        storage: str = "dense",
        filters: Any = None,
        bias: bool = True,
        name: str | None = None,
    ) -> Value:
        """DEPTHWISE_CONV_2D; `filters` is an array [1, height, width, outputs] or a Value."""
        (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
        channels = x.shape[3] * multiplier
        if filters is None:
            filters = weights(self.rng, (1, kh, kw, channels), kh * kw, zeros, mask)
        kernel_value = self.weight(filters, storage, name and f"{name}/filter", axis=3)
        operands = [x, kernel_value]
        if bias:
            operands.append(self._bias(x, kernel_value, channels, "dense"))
        options = litert_schema.DepthwiseConv2DOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        options.depthMultiplier = multiplier
        options.dilationHFactor, options.dilationWFactor = dh, dw
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        height = _window(x.shape[1], kh, sh, dh, padding)
        width = _window(x.shape[2], kw, sw, dw, padding)
        return self.op(
            "DEPTHWISE_CONV_2D",
            operands,
            [((x.shape[0], height, width, channels), x.type)],
            options,
            3 if x.type == "INT8" else 6 if storage.startswith("int8") else 2,
            names=[name] if name else None,
            **self._result(x, 0.05),
        )[0]

    def transpose_conv(
        self,
        x: Value,
        channels: int,
        kernel: Any = 3,
        stride: Any = 2,
        padding: str = "SAME",
        zeros: float = 0.0,
        storage: str = "dense",
        filters: Any = None,
    ) -> Value:
        """TRANSPOSE_CONV without a bias."""
        (kh, kw), (sh, sw) = pair(kernel), pair(stride)
        if filters is None:
            shape = (channels, kh, kw, x.shape[3])
            filters = weights(self.rng, shape, kh * kw * x.shape[3], zeros)
        if padding == "SAME":
            size = (x.shape[1] * sh, x.shape[2] * sw)
        else:
            size = ((x.shape[1] - 1) * sh + kh, (x.shape[2] - 1) * sw + kw)
        shape = (x.shape[0], *size, channels)
        options = litert_schema.TransposeConvOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        target = self.constant(np.array(shape, np.int32))
        operands = [target, self.weight(filters, storage), x]
        return self.op(
            "TRANSPOSE_CONV", operands, [(shape, x.type)], options, **self._result(x, 0.05)
        )[0]

    def fully_connected(
        self,
        x: Value,
        units: int,
        activation: str = "NONE",
        keep_num_dims: bool = False,
        zeros: float = 0.0,
        mask: Any = None,
        storage: str = "dense",
        filters: Any = None,
        bias: bool = True,
        name: str | None = None,
        version: int | None = None,
    ) -> Value:
        """FULLY_CONNECTED; `filters` is an array [units, inputs] or a shared Value."""
        if filters is None and keep_num_dims:
            inputs = x.shape[-1]
        elif filters is None:
            inputs = math.prod(x.shape[1:])
        else:
            inputs = filters.shape[1]
        if filters is None:
            filters = weights(self.rng, (units, inputs), inputs, zeros, mask)
        kernel_value = self.weight(filters, storage, name and f"{name}/filter")
        operands: list[Value | None] = [x, kernel_value]
        operands.append(self._bias(x, kernel_value, units, "dense") if bias else None)
        options = litert_schema.FullyConnectedOptionsT()
        options.keepNumDims = keep_num_dims
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        leading = x.shape[:-1] if keep_num_dims else (math.prod(x.shape) // inputs,)
        if version is None:
            direct = 8 if storage.endswith("sparse-direct") else 1
            quantized = 4 if x.type == "INT8" else 3 if storage.startswith("int8") else 1
            version = max(direct, quantized, 5 if keep_num_dims else 1)
        return self.op(
            "FULLY_CONNECTED",
            operands,
            [((*leading, units), x.type)],
            options,
            version,
            names=[name] if name else None,
            **self._result(x, 0.05),
        )[0]

    def batch_matmul(self, x: Value, filters: Any, storage: str = "dense") -> Value:
        """BATCH_MATMUL with a constant second operand [..., inputs, outputs] or a Value."""
        other = (
            self.weight(np.asarray(filters), storage) if not hasattr(filters, "index") else filters
        )
        shape = (*x.shape[:-1], other.shape[-1])
        options = litert_schema.BatchMatMulOptionsT()
        return self.op("BATCH_MATMUL", [x, other], [(shape, x.type)], options)[0]

    # Windows and shapes

    def pad(self, x: Value, paddings: Any, value: float | None = None) -> Value:
        """PAD with (before, after) for each dimension; PADV2 with a value."""
        amounts = np.array(paddings, np.int32)
        shape = tuple(s + int(b + a) for s, (b, a) in zip(x.shape, amounts, strict=True))
        operands = [x, self.constant(amounts)]
        if value is None:
            return self.op("PAD", operands, [(shape, x.type)], litert_schema.PadOptionsT())[0]
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
        height = _window(x.shape[1], kh, sh, 1, padding)
        width = _window(x.shape[2], kw, sw, 1, padding)
        return self.op(kind, [x], [((x.shape[0], height, width, x.shape[3]), x.type)], options)[0]

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
        version = 3 if half_pixel_centers else 1
        return self.op("RESIZE_BILINEAR", operands, [(shape, x.type)], options, version)[0]

    def resize_nearest(self, x: Value, size: Any) -> Value:
        """RESIZE_NEAREST_NEIGHBOR to (height, width)."""
        operands = [x, self.constant(np.array(pair(size), np.int32))]
        shape = (x.shape[0], *pair(size), x.shape[3])
        options = litert_schema.ResizeNearestNeighborOptionsT()
        return self.op("RESIZE_NEAREST_NEIGHBOR", operands, [(shape, x.type)], options)[0]
