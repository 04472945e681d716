"""Arithmetic, activations and changes of shape, for `tests.support.nets.builder.GraphBuilder`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.nets.builder import Value

__all__ = ["Elementwise"]

_BINARY_OPTIONS = {
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "DIV": "DivOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
}
_FUSED = {"ADD", "SUB", "MUL", "DIV"}


# The values of these have bounds, and LiteRT asks for the quantization that covers them.
_BOUNDED: dict[str, tuple[list[float], list[int], int]] = {
    "LOGISTIC": ([1 / 256], [-128], 0),
    "SOFTMAX": ([1 / 256], [-128], 0),
    "TANH": ([1 / 128], [0], 0),
}


class Elementwise:
    """Arithmetic, activations and changes of shape; each returns the value it makes."""

    constant: Any
    op: Any
    operand: Any

    def binary(self, kind: str, a: Any, b: Any, activation: str = "NONE") -> Value:
        """ADD, SUB, MUL, DIV, MINIMUM, MAXIMUM ...; either operand may be an array."""
        partner = a if hasattr(a, "type") else b
        left, right = self.operand(a, partner), self.operand(b, partner)
        options = getattr(litert_schema, f"{_BINARY_OPTIONS[kind]}T")()
        if kind in _FUSED:
            functions = litert_schema.ActivationFunctionType
            options.fusedActivationFunction = getattr(functions, activation)
        shape = np.broadcast_shapes(left.shape, right.shape)
        return self.op(kind, [left, right], [(shape, left.type)], options)[0]

    def add(self, a: Any, b: Any, activation: str = "NONE") -> Value:
        """ADD."""
        return self.binary("ADD", a, b, activation)

    def sub(self, a: Any, b: Any, activation: str = "NONE") -> Value:
        """SUB."""
        return self.binary("SUB", a, b, activation)

    def mul(self, a: Any, b: Any, activation: str = "NONE") -> Value:
        """MUL."""
        return self.binary("MUL", a, b, activation)

    def div(self, a: Any, b: Any, activation: str = "NONE") -> Value:
        """DIV."""
        return self.binary("DIV", a, b, activation)

    def minimum(self, a: Any, b: Any) -> Value:
        """MINIMUM."""
        return self.binary("MINIMUM", a, b)

    def maximum(self, a: Any, b: Any) -> Value:
        """MAXIMUM."""
        return self.binary("MAXIMUM", a, b)

    def unary(self, kind: str, x: Value, version: int | None = None) -> Value:
        """RELU, RELU6, LOGISTIC, TANH, HARD_SWISH, ABS, EXP, SQUARE, NEG, SQRT, ELU ..."""
        names = {
            "ABS": "AbsOptions",
            "EXP": "ExpOptions",
            "NEG": "NegOptions",
            "SQUARE": "SquareOptions",
            "COS": "CosOptions",
            "HARD_SWISH": "HardSwishOptions",
            "GELU": "GeluOptions",
        }
        options = getattr(litert_schema, f"{names[kind]}T")() if kind in names else None
        bounded = _BOUNDED.get(kind) if x.type == "INT8" else None
        return self.op(kind, [x], [(x.shape, x.type)], options, version, quantized=bounded)[0]

    def logistic(self, x: Value) -> Value:
        """LOGISTIC."""
        return self.unary("LOGISTIC", x)

    def hard_swish(self, x: Value) -> Value:
        """HARD_SWISH."""
        return self.unary("HARD_SWISH", x)

    def densify(self, x: Value) -> Value:
        """DENSIFY of a constant that is stored sparse ("sparse-direct")."""
        return self.op("DENSIFY", [x], [(x.shape, x.type)])[0]

    def dequantize(self, x: Value) -> Value:
        """DEQUANTIZE to fp32, of half precision or of quantized values."""
        return self.op("DEQUANTIZE", [x], [(x.shape, "FLOAT32")])[0]

    def quantize(self, x: Value, scale: float, zero_point: int = 0) -> Value:
        """QUANTIZE to int8."""
        quantized = ([scale], [zero_point], 0)
        return self.op("QUANTIZE", [x], [(x.shape, "INT8")], quantized=quantized)[0]

    def leaky_relu(self, x: Value, alpha: float = 0.1) -> Value:
        """LEAKY_RELU."""
        options = litert_schema.LeakyReluOptionsT()
        options.alpha = alpha
        return self.op("LEAKY_RELU", [x], [(x.shape, x.type)], options)[0]

    def prelu(self, x: Value, slopes: Any = None) -> Value:
        """PRELU with one slope a channel."""
        if slopes is None:
            slopes = np.linspace(0.1, 0.3, x.shape[-1], dtype=np.float32).reshape(1, 1, -1)
        return self.op("PRELU", [x, self.operand(slopes, x)], [(x.shape, x.type)])[0]

    def softmax(self, x: Value, beta: float = 1.0) -> Value:
        """SOFTMAX."""
        options = litert_schema.SoftmaxOptionsT()
        options.beta = beta
        bounded = _BOUNDED["SOFTMAX"] if x.type == "INT8" else None
        return self.op("SOFTMAX", [x], [(x.shape, x.type)], options, quantized=bounded)[0]

    def concat(self, values: Sequence[Value], axis: int = 3, activation: str = "NONE") -> Value:
        """CONCATENATION."""
        options = litert_schema.ConcatenationOptionsT()
        options.axis = axis
        options.fusedActivationFunction = getattr(litert_schema.ActivationFunctionType, activation)
        shape = list(values[0].shape)
        shape[axis] = sum(value.shape[axis] for value in values)
        return self.op("CONCATENATION", values, [(shape, values[0].type)], options)[0]

    def split(self, x: Value, count: int, axis: int = 3) -> tuple[Value, ...]:
        """SPLIT into equal parts."""
        options = litert_schema.SplitOptionsT()
        options.numSplits = count
        shape = list(x.shape)
        shape[axis] //= count
        operands = [self.constant(np.array(axis, np.int32)), x]
        parts: tuple[Value, ...] = self.op("SPLIT", operands, [(shape, x.type)] * count, options)
        return parts

    def reshape(self, x: Value, shape: Sequence[int]) -> Value:
        """RESHAPE; one size may be -1."""
        known = -math.prod(shape)
        full = tuple(math.prod(x.shape) // known if s == -1 else s for s in shape)
        options = litert_schema.ReshapeOptionsT()
        options.newShape = np.array(full, np.int32)
        operands = [x, self.constant(np.array(full, np.int32))]
        return self.op("RESHAPE", operands, [(full, x.type)], options)[0]

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """SQUEEZE."""
        options = litert_schema.SqueezeOptionsT()
        options.squeezeDims = np.array(axes, np.int32)
        shape = tuple(s for d, s in enumerate(x.shape) if d not in axes)
        return self.op("SQUEEZE", [x], [(shape, x.type)], options)[0]

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        """TRANSPOSE."""
        operands = [x, self.constant(np.array(order, np.int32))]
        shape = tuple(x.shape[d] for d in order)
        options = litert_schema.TransposeOptionsT()
        return self.op("TRANSPOSE", operands, [(shape, x.type)], options)[0]

    def depth_to_space(self, x: Value, block: int = 2) -> Value:
        """DEPTH_TO_SPACE."""
        options = litert_schema.DepthToSpaceOptionsT()
        options.blockSize = block
        n, h, w, c = x.shape
        shape = (n, h * block, w * block, c // block**2)
        return self.op("DEPTH_TO_SPACE", [x], [(shape, x.type)], options)[0]

    def space_to_depth(self, x: Value, block: int = 2) -> Value:
        """SPACE_TO_DEPTH."""
        options = litert_schema.SpaceToDepthOptionsT()
        options.blockSize = block
        n, h, w, c = x.shape
        shape = (n, h // block, w // block, c * block**2)
        return self.op("SPACE_TO_DEPTH", [x], [(shape, x.type)], options)[0]

    def reverse(self, x: Value, axes: Sequence[int]) -> Value:
        """REVERSE_V2."""
        operands = [x, self.constant(np.array(axes, np.int32))]
        options = litert_schema.ReverseV2OptionsT()
        return self.op("REVERSE_V2", operands, [(x.shape, x.type)], options)[0]

    def slice(self, x: Value, begin: Sequence[int], size: Sequence[int]) -> Value:
        """SLICE."""
        operands = [x, self.constant(np.array(begin, np.int32))]
        operands.append(self.constant(np.array(size, np.int32)))
        options = litert_schema.SliceOptionsT()
        return self.op("SLICE", operands, [(tuple(size), x.type)], options)[0]

    def strided_slice(self, x: Value, begin: Any, end: Any, strides: Any) -> Value:
        """STRIDED_SLICE without masks."""
        options = litert_schema.StridedSliceOptionsT()
        operands = [x, *(self.constant(np.array(v, np.int32)) for v in (begin, end, strides))]
        shape = tuple(-(-(e - b) // s) for b, e, s in zip(begin, end, strides, strict=True))
        return self.op("STRIDED_SLICE", operands, [(shape, x.type)], options)[0]
