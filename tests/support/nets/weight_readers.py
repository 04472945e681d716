"""A model for every operator that reads a weight: one operator, one weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.builder import ModelBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.nets.builder import GraphBuilder, Value

__all__ = ["READERS", "one_reader"]

_ZEROS = 0.85
_SCALE = 0.02
_INPUT_SCALE = 0.05


def _values(graph: GraphBuilder, shape: Sequence[int]) -> np.ndarray:
    values = graph.rng.standard_normal(shape).astype(np.float32)
    values[graph.rng.random(shape) < _ZEROS] = 0
    return values


def _weight(graph: GraphBuilder, shape: Sequence[int], stored: str, axis: int | None) -> Value:
    """A weight as the case has it: "FLOAT32", "FLOAT16", "INT8", or "INT8-dequantized"."""
    values = _values(graph, shape)
    if stored == "FLOAT32":
        return graph.constant(values)
    if stored == "FLOAT16":
        return graph.constant(values, storage="fp16")
    whole = np.clip(np.rint(values * 40), -127, 127).astype(np.int8)
    channels = shape[axis] if axis is not None else 1
    quantized = (np.linspace(_SCALE, 2 * _SCALE, channels), [0] * channels, axis or 0)
    value = graph.constant(whole, quantized=quantized)
    if stored == "INT8":
        return value
    return graph.op("DEQUANTIZE", [value], [(shape, "FLOAT32")], version=2)[0]


def _bias(
    graph: GraphBuilder, channels: int, kind: str, scales: int = 1, stored: str = "FLOAT32"
) -> Value:
    if kind == "INT8":
        # The scale of a bias is that of the input times that of the weight, channel by channel.
        products = np.linspace(_SCALE, 2 * _SCALE, scales) * _INPUT_SCALE
        quantized = (products, [0] * scales, 0)
        return graph.constant(np.full(channels, 3, np.int32), quantized=quantized)
    # A converter that halves a filter halves its bias too.
    storage = "fp16" if stored == "FLOAT16" else "dense"
    return graph.constant(np.ones(channels, np.float32), storage=storage)


def _input(graph: GraphBuilder, shape: Sequence[int], kind: str) -> Value:
    return graph.input(shape, kind, scale=_INPUT_SCALE if kind == "INT8" else None)


def _run(
    graph: GraphBuilder,
    name: str,
    operands: Sequence[Value | None],
    shape: Sequence[int],
    kind: str,
    options: Any = None,
    version: int = 1,
) -> Value:
    quantized = ([0.5], [0], 0) if kind == "INT8" else None
    return graph.op(name, operands, [(shape, kind)], options, version, quantized=quantized)[0]


def _options(name: str, **fields: Any) -> Any:
    options = getattr(litert_schema, f"{name}OptionsT")()
    for field, value in fields.items():
        setattr(options, field, value)
    return options


def _version(kind: str, stored: str, whole: int, dynamic: int) -> int:
    return whole if kind == "INT8" else dynamic if stored == "INT8" else 1


def _conv2d(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 6, 6, 32), kind)
    weight = _weight(graph, (64, 1, 1, 32), stored, 0)
    options = _options(
        "Conv2D", strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1, padding=1
    )
    version = _version(kind, stored, 3, 5)
    operands = [x, weight, _bias(graph, 64, kind, 64, stored)]
    return _run(graph, "CONV_2D", operands, (1, 6, 6, 64), kind, options, version)


def _depthwise(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 6, 6, 256), kind)
    weight = _weight(graph, (1, 3, 3, 256), stored, 3)
    options = _options(
        "DepthwiseConv2D",
        strideH=1,
        strideW=1,
        dilationHFactor=1,
        dilationWFactor=1,
        padding=1,
        depthMultiplier=1,
    )
    version = _version(kind, stored, 3, 6)
    operands = [x, weight, _bias(graph, 256, kind, 256, stored)]
    return _run(graph, "DEPTHWISE_CONV_2D", operands, (1, 4, 4, 256), kind, options, version)


def _transpose_conv(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 4, 4, 16), kind)
    size = graph.constant(np.array([1, 8, 8, 16], np.int32))
    weight = _weight(graph, (16, 3, 3, 16), stored, 0)
    options = _options("TransposeConv", strideH=2, strideW=2, padding=0)
    operands = [size, weight, x, _bias(graph, 16, kind, 16)]
    version = _version(kind, stored, 3, 4) if stored == "INT8" else 3
    return _run(graph, "TRANSPOSE_CONV", operands, (1, 8, 8, 16), kind, options, version)


def _fully_connected(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (2, 64), kind)
    weight = _weight(graph, (64, 64), stored, None)
    options = _options("FullyConnected")
    version = _version(kind, stored, 4, 3)
    operands = [x, weight, _bias(graph, 64, kind, stored=stored)]
    return _run(graph, "FULLY_CONNECTED", operands, (2, 64), kind, options, version)


def _batch_matmul(graph: GraphBuilder, stored: str, kind: str, operand: int) -> Value:
    x = _input(graph, (1, 64, 64), kind)
    weight = _weight(graph, (1, 64, 64), stored, None)
    operands = [x, weight] if operand else [weight, x]
    version = _version(kind, stored, 2, 4)
    options = _options("BatchMatMul")
    return _run(graph, "BATCH_MATMUL", operands, (1, 64, 64), kind, options, version)


def _volume(graph: GraphBuilder, stored: str, kind: str, transposed: bool) -> Value:
    options = _options(
        "Conv3D",
        strideH=1,
        strideW=1,
        strideD=1,
        dilationHFactor=1,
        dilationWFactor=1,
        dilationDFactor=1,
        padding=1,
    )
    weight = _weight(graph, (3, 3, 3, 8, 8), stored, None)
    bias = _bias(graph, 8, kind)
    if not transposed:
        x = _input(graph, (1, 4, 4, 4, 8), kind)
        return _run(graph, "CONV_3D", [x, weight, bias], (1, 2, 2, 2, 8), kind, options)
    x = _input(graph, (1, 2, 2, 2, 8), kind)
    size = graph.constant(np.array([1, 4, 4, 4, 8], np.int32))
    operands = [size, weight, x, bias]
    return _run(graph, "CONV_3D_TRANSPOSE", operands, (1, 4, 4, 4, 8), kind, options)


def _gather(graph: GraphBuilder, stored: str, _: str, __: int) -> Value:
    x = graph.input((3,), "INT32")
    weight = _weight(graph, (64, 64), stored, None)
    kind = weight.type
    return _run(graph, "GATHER", [weight, x], (3, 64), kind, _options("Gather"), version=2)


def _embedding(graph: GraphBuilder, stored: str, _: str, __: int) -> Value:
    x = graph.input((3,), "INT32")
    weight = _weight(graph, (64, 64), stored, None)
    return _run(graph, "EMBEDDING_LOOKUP", [x, weight], (3, 64), "FLOAT32")


def _variable(graph: GraphBuilder, shape: Sequence[int]) -> Value:
    value = graph.tensor(shape)
    graph.table.tensors[value.index].isVariable = True
    return value


def _svdf(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 64), kind)
    operands = [
        x,
        _weight(graph, (64, 64), stored, None),
        graph.constant(graph.rng.standard_normal((64, 4)).astype(np.float32)),
        _bias(graph, 64, kind),
        _variable(graph, (1, 256)),
    ]
    return _run(graph, "SVDF", operands, (1, 64), kind, _options("SVDF", rank=1))


def _lstm(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 5, 64), kind)
    matrices = [_weight(graph, (64, 64), stored, None) for _ in range(8)]
    biases = [_bias(graph, 64, kind) for _ in range(4)]
    states = [_variable(graph, (1, 64)) for _ in range(2)]
    none: list[Value | None] = [None] * 3
    operands = [x, *matrices, *none, *biases, *none[:2], *states]
    options = _options("UnidirectionalSequenceLSTM", fusedActivationFunction=4)
    name = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    return _run(graph, name, operands, (1, 5, 64), kind, options)


def _rnn(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 5, 64), kind)
    operands = [
        x,
        _weight(graph, (64, 64), stored, None),
        _weight(graph, (64, 64), stored, None),
        _bias(graph, 64, kind),
        _variable(graph, (1, 64)),
    ]
    options = _options("SequenceRNN", fusedActivationFunction=4)
    return _run(graph, "UNIDIRECTIONAL_SEQUENCE_RNN", operands, (1, 5, 64), kind, options)


def _elementwise(name: str) -> Callable[[GraphBuilder, str, str, int], Value]:
    def build(graph: GraphBuilder, stored: str, kind: str, operand: int) -> Value:
        x = _input(graph, (1, 8, 8, 32), kind)
        weight = _weight(graph, (1, 8, 8, 32), stored, None)
        operands = [x, weight] if operand else [weight, x]
        options = _options(name.capitalize())
        return _run(graph, name, operands, (1, 8, 8, 32), kind, options)

    return build


def _prelu(graph: GraphBuilder, stored: str, kind: str, _: int) -> Value:
    x = _input(graph, (1, 8, 8, 32), kind)
    slopes = _weight(graph, (8, 8, 32), stored, None)
    return _run(graph, "PRELU", [x, slopes], (1, 8, 8, 32), kind)


def _concatenation(graph: GraphBuilder, stored: str, kind: str, operand: int) -> Value:
    x = _input(graph, (64, 32), kind)
    weight = _weight(graph, (64, 32), stored, None)
    operands = [x, weight] if operand else [weight, x]
    options = _options("Concatenation", axis=0)
    return _run(graph, "CONCATENATION", operands, (128, 32), kind, options)


READERS: dict[str, Callable[[GraphBuilder, str, str, int], Value]] = {
    "CONV_2D": _conv2d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "CONV_3D": lambda g, s, k, _: _volume(g, s, k, transposed=False),
    "CONV_3D_TRANSPOSE": lambda g, s, k, _: _volume(g, s, k, transposed=True),
    "GATHER": _gather,
    "EMBEDDING_LOOKUP": _embedding,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _rnn,
    "ADD": _elementwise("ADD"),
    "MUL": _elementwise("MUL"),
    "PRELU": _prelu,
    "CONCATENATION": _concatenation,
}
"""Operators that read weights, each with what builds it: (graph, stored, activation, operand)."""


def one_reader(name: str, stored: str, activation: str, operand: int) -> bytes:
    """A model of one operator and its weight, dense.

    Args:
        name: kind of the operator.
        stored: "FLOAT32", "FLOAT16" (behind DEQUANTIZE), "INT8", or "INT8-dequantized".
        activation: element type of its input.
        operand: which operand the weight is, where that can be chosen.
    """
    builder = ModelBuilder(seed=3)
    graph = builder.graph()
    graph.output(READERS[name](graph, stored, activation, operand))
    return builder.build()
