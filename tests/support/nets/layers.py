"""Layers with weights, for `tests.support.nets.builder.GraphBuilder`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.weights import weights
from tests.support.nets.windows import pair, windows

if TYPE_CHECKING:
    from tests.support.nets.builder import Value

__all__ = ["Layers"]


class Layers:
    """Layers with weights; each returns the value it makes.

    Filters are random, or an array, or a `Value` that layers share; so is a bias, which may also be
    left out. Storages of filters are those of `GraphBuilder.constant` and, quantized by output
    channel, "int8", "int8-sparse" and "int8-sparse-direct"; "int8-values" and "int8-values-sparse"
    with a DEQUANTIZE behind, for operators that compute in floating point, and with one scale
    "int8-value" and "int8-value-sparse".
    """

    model: Any
    rng: np.random.Generator
    table: Any
    constant: Any
    op: Any
    tensor: Any

    def weight(
        self, array: Any, storage: str = "dense", name: str | None = None, axis: int = 0
    ) -> Value:
        """A filter as an operator reads it; storages with "int8" quantize it along `axis`."""
        if not isinstance(array, np.ndarray):
            return array  # a Value: a filter that is shared
        if not storage.startswith("int8"):
            return self.constant(array, name, storage)
        _, *parts = storage.split("-")
        whole, dequantized = "value" in parts, {"value", "values"} & set(parts)
        others = tuple(d for d in range(array.ndim) if d != axis or whole)
        scales = np.maximum(np.abs(array).max(axis=others), 1e-6).reshape(-1) / 127
        shape = [-1 if d == axis else 1 for d in range(array.ndim)]
        stored = np.rint(array / scales.reshape(shape)).astype(np.int8)
        quantized = (scales, [0] * scales.size, 0 if whole else axis)
        how = "-".join(part for part in parts if part not in dequantized) or "dense"
        value = self.constant(stored, name, how, quantized)
        if not dequantized:
            return value
        return self.op("DEQUANTIZE", [value], [(array.shape, "FLOAT32")])[0]

    def _scales(self, value: Value) -> np.ndarray:
        return np.asarray(self.table.tensors[value.index].quantization.scale)

    def _bias(
        self, x: Value, filters: Value, channels: int, bias: Any, storage: str = "dense"
    ) -> list[Value]:
        """The bias as operands, of which there are none or one; True makes a random one."""
        if bias is None or bias is False:
            return []
        if bias is True:
            bias = self.rng.standard_normal(channels).astype(np.float32) * np.float32(0.1)
        if not isinstance(bias, np.ndarray):
            return [bias]  # a Value: a bias that is shared
        if x.type != "INT8":
            return [self.constant(bias, None, storage)]
        scales = self._scales(x) * self._scales(filters)
        stored = np.rint(bias / scales).astype(np.int32)
        return [self.constant(stored, quantized=(scales, [0] * scales.size, 0))]

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
        operands += self._bias(x, kernel_value, channels, bias, bias_storage)
        options = litert_schema.Conv2DOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        options.dilationHFactor, options.dilationWFactor = dh, dw
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        height = windows(x.shape[1], kh, sh, dh, padding)
        width = windows(x.shape[2], kw, sw, dw, padding)
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
        bias: Any = True,
        name: str | None = None,
    ) -> Value:
        """DEPTHWISE_CONV_2D; `filters` is an array [1, height, width, outputs] or a Value."""
        (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
        channels = x.shape[3] * multiplier
        if filters is None:
            filters = weights(self.rng, (1, kh, kw, channels), kh * kw, zeros, mask)
        kernel_value = self.weight(filters, storage, name and f"{name}/filter", axis=3)
        operands = [x, kernel_value]
        operands += self._bias(x, kernel_value, channels, bias)
        options = litert_schema.DepthwiseConv2DOptionsT()
        options.padding = getattr(litert_schema.Padding, padding)
        options.strideH, options.strideW = sh, sw
        options.depthMultiplier = multiplier
        options.dilationHFactor, options.dilationWFactor = dh, dw
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        height = windows(x.shape[1], kh, sh, dh, padding)
        width = windows(x.shape[2], kw, sw, dw, padding)
        return self.op(
            "DEPTHWISE_CONV_2D",
            operands,
            [((x.shape[0], height, width, channels), x.type)],
            options,
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
        activation: str = "NONE",
        bias: Any = False,
    ) -> Value:
        """TRANSPOSE_CONV; `filters` is an array [channels, height, width, inputs] or a Value."""
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
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        target = self.constant(np.array(shape, np.int32))
        operands = [target, self.weight(filters, storage), x]
        operands += self._bias(x, operands[1], channels, bias)
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
        bias: Any = True,
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
        operands += self._bias(x, kernel_value, units, bias) or [None]
        options = litert_schema.FullyConnectedOptionsT()
        options.keepNumDims = keep_num_dims
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        leading = x.shape[:-1] if keep_num_dims else (math.prod(x.shape) // inputs,)
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
        other = self.weight(filters, storage)
        shape = (*x.shape[:-1], other.shape[-1])
        options = litert_schema.BatchMatMulOptionsT()
        return self.op("BATCH_MATMUL", [x, other], [(shape, x.type)], options)[0]
