"""Builds small models for tests, in the order in which one would say what is in them.

    model = ModelBuilder()
    graph = model.graph()
    x = graph.input((1, 32, 32, 3))
    x = graph.conv2d(x, 16, kernel=1, zeros=0.8, storage="sparse")
    graph.output(graph.mean(x, axes=(1, 2)))
    data = model.build()

Built on the object API of the LiteRT wheel, not on the package's own writer, so that a mistake in
one does not hide a mistake in the other. The layers are in `tests.support.nets.layers`,
`tests.support.nets.windows` and `tests.support.nets.elementwise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tests.support.nets.appended_data import append_zip, pack_with_external_data
from tests.support.nets.elementwise import Elementwise
from tests.support.nets.every_table import pack
from tests.support.nets.layers import Layers
from tests.support.nets.sparse_storage import google_sparsity
from tests.support.nets.weights import with_zeros
from tests.support.nets.windows import Windows
from tests.support.peers.versions import operator_version

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GraphBuilder", "ModelBuilder", "Value", "append_zip"]

_TYPES = {
    "float32": "FLOAT32",
    "float16": "FLOAT16",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
}
_QUANTIZED = {"INT8", "UINT8", "INT16"}
_PLACEHOLDER_CODE = 127


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: what a layer returns and takes.

    Attributes:
        index: index of the tensor.
        shape: its shape.
        type: its element type by the schema's name.
    """

    index: int
    shape: tuple[int, ...]
    type: str = "FLOAT32"


class GraphBuilder(Layers, Windows, Elementwise):
    """Builds one subgraph; made by `ModelBuilder.graph`."""

    def __init__(self, model: ModelBuilder, name: str) -> None:
        self.model = model
        self.rng = model.rng
        self.table = litert_schema.SubGraphT()
        self.table.name = name
        self.table.tensors = []
        self.table.operators = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def input(
        self,
        shape: Sequence[int],
        type: str = "FLOAT32",  # noqa: A002 - the schema's name for it
        name: str = "input",
        signature: Sequence[int] | None = None,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> Value:
        """An input of the subgraph; `signature` is its shape with -1 for dynamic sizes."""
        quantized = None if scale is None else ([scale], [zero_point], 0)
        value = self.tensor(shape, type, name, quantized=quantized)
        if signature is not None:
            self.table.tensors[value.index].shapeSignature = np.array(signature, np.int32)
        self.inputs.append(value.index)
        return value

    def output(self, *values: Value) -> None:
        """Makes values outputs of the subgraph."""
        self.outputs += [value.index for value in values]

    def tensor(
        self,
        shape: Sequence[int],
        type: str = "FLOAT32",  # noqa: A002
        name: str | None = None,
        buffer: int = 0,
        quantized: tuple[Sequence[float], Sequence[int], int] | None = None,
    ) -> Value:
        """A tensor that an operator writes; `quantized` is (scales, zero points, dimension)."""
        table = litert_schema.TensorT()
        table.shape = np.array(shape, np.int32)
        table.type = getattr(litert_schema.TensorType, type)
        table.buffer = buffer
        table.name = name or f"tensor_{len(self.table.tensors)}"
        table.hasRank = True
        if quantized is not None:
            table.quantization = litert_schema.QuantizationParametersT()
            table.quantization.scale = np.array(quantized[0], np.float32)
            table.quantization.zeroPoint = np.array(quantized[1], np.int64)
            table.quantization.quantizedDimension = quantized[2]
        self.table.tensors.append(table)
        return Value(len(self.table.tensors) - 1, tuple(int(s) for s in shape), type)

    def constant(
        self,
        array: Any,
        name: str | None = None,
        storage: str = "dense",
        quantized: tuple[Sequence[float], Sequence[int], int] | None = None,
        buffer: int | None = None,
        zeros: float | None = None,
    ) -> Value:
        """A constant as an operator reads it.

        Args:
            array: its value.
            name: name of the stored tensor.
            storage: how a float constant is stored: "dense"; "sparse" (behind a DENSIFY);
                "sparse-direct" (sparse, without one); "fp16" (behind a DEQUANTIZE);
                "fp16-sparse" (DENSIFY, then DEQUANTIZE).
            quantized: scales, zero points and dimension of a quantized constant.
            buffer: a buffer to share instead of a new one.
            zeros: share of its elements to set to zero, exactly round(size * zeros).
        """
        array = np.asarray(array)
        if zeros is not None:
            array = with_zeros(self.rng, array, zeros)
        half = storage.startswith("fp16")
        stored = array.astype(np.float16) if half else array
        name = name or f"constant_{len(self.table.tensors)}"
        kind = _TYPES[stored.dtype.name]
        if not storage.endswith(("sparse", "sparse-direct")):
            index = self.model.buffer(stored) if buffer is None else buffer
            value = self.tensor(stored.shape, kind, name, index, quantized)
        else:
            sparsity, values = google_sparsity(stored)
            index = self.model.buffer(values) if buffer is None else buffer
            value = self.tensor(stored.shape, kind, name, index, quantized)
            self.table.tensors[value.index].sparsity = sparsity
            if storage != "sparse-direct":
                (value,) = self.op(
                    "DENSIFY",
                    [value],
                    [(stored.shape, kind)],
                    names=[f"{name}_dense"],
                    quantized=quantized,
                )
        if half:
            (value,) = self.op(
                "DEQUANTIZE",
                [value],
                [(stored.shape, "FLOAT32")],
                names=[f"{name}_dequantized"],
            )
        return value

    def operand(self, value: Any, partner: Value) -> Value:
        """A value as it is, or an array as a constant that goes with a partner's type."""
        if isinstance(value, Value):
            return value
        array = np.asarray(value, np.float32)
        if partner.type != "INT8":
            return self.constant(array)
        scale = max(float(np.abs(array).max()), 1e-6) / 127
        return self.constant(np.rint(array / scale).astype(np.int8), quantized=([scale], [0], 0))

    def op(
        self,
        name: str,
        inputs: Sequence[Value | None],
        outputs: Sequence[tuple[Sequence[int], str]],
        options: Any = None,
        version: int | None = None,
        names: Sequence[str] | None = None,
        custom_options: bytes | None = None,
        quantized: tuple[Sequence[float], Sequence[int], int] | None = None,
    ) -> tuple[Value, ...]:
        """Any operator.

        Args:
            name: its builtin name, or the custom code of a custom operator.
            inputs: what it reads; None for an operand that is left out.
            outputs: shape and type of each value it writes.
            options: an option table of the object API.
            version: the operator's version; the one that LiteRT's converter gives it by default.
            names: names of its outputs.
            custom_options: options of a custom operator.
            quantized: quantization of its outputs; int8 outputs have that of the first int8
                operand by default.
        """
        if version is None:
            version = self._version(name, inputs, options)
        if quantized is None:
            quantized = self.quantization(inputs)
        operator = litert_schema.OperatorT()
        operator.opcodeIndex = self.model.operator_code(name, version)
        operator.inputs = np.array([-1 if v is None else v.index for v in inputs], np.int32)
        label = f"{name.lower()}_{len(self.table.operators)}"
        made = tuple(
            self.tensor(
                shape,
                kind,
                names[i] if names else label,
                quantized=quantized if kind in _QUANTIZED else None,
            )
            for i, (shape, kind) in enumerate(outputs)
        )
        operator.outputs = np.array([value.index for value in made], np.int32)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(litert_schema.BuiltinOptions, kind)
        if custom_options is not None:
            operator.customOptions = np.frombuffer(custom_options, np.uint8)
        self.table.operators.append(operator)
        return made

    def _version(self, name: str, inputs: Sequence[Value | None], options: Any) -> int:
        stored = [None if value is None else self.table.tensors[value.index] for value in inputs]
        scales = [getattr(getattr(t, "quantization", None), "scale", None) for t in stored]
        return operator_version(
            name,
            inputs,
            options,
            sparse_weights=any(getattr(t, "sparsity", None) is not None for t in stored[1:2]),
            per_channel=any(scale is not None and len(scale) > 1 for scale in scales[:1]),
        )

    def quantization(
        self, inputs: Sequence[Value | None]
    ) -> tuple[Sequence[float], Sequence[int], int] | None:
        """Scales, zero points and dimension of the first int8 operand."""
        for value in inputs:
            if value is not None and value.type == "INT8":
                found = self.table.tensors[value.index].quantization
                if found is None:
                    return None
                return found.scale, found.zeroPoint, found.quantizedDimension
        return None


class ModelBuilder:
    """Builds a model.

    Args:
        seed: makes the weights; the same calls with the same seed give the same bytes.
        description: the model's description.
    """

    def __init__(self, seed: int = 0, description: str = "built for a test") -> None:
        self.rng = np.random.default_rng(seed)
        self.table = litert_schema.ModelT()
        self.table.version = 3
        self.table.description = description
        self.table.operatorCodes = []
        self.table.buffers = [litert_schema.BufferT()]
        self.table.metadata = None
        self.table.signatureDefs = None
        self.graphs: list[GraphBuilder] = []

    def graph(self, name: str = "main") -> GraphBuilder:
        """A new subgraph; the first is the main one."""
        self.graphs.append(GraphBuilder(self, name))
        return self.graphs[-1]

    def buffer(self, data: Any) -> int:
        """A new buffer with the bytes of an array; its index."""
        table = litert_schema.BufferT()
        table.data = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        self.table.buffers.append(table)
        return len(self.table.buffers) - 1

    def operator_code(self, name: str, version: int) -> int:
        """The index of an operator code, added where it is missing."""
        custom = not hasattr(litert_schema.BuiltinOperator, name)
        number = getattr(litert_schema.BuiltinOperator, "CUSTOM" if custom else name)
        for index, code in enumerate(self.table.operatorCodes):
            same = code.customCode == name if custom else code.builtinCode == number
            if same and code.version == version:
                return index
        code = litert_schema.OperatorCodeT()
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, _PLACEHOLDER_CODE)
        code.version = version
        code.customCode = name if custom else None
        self.table.operatorCodes.append(code)
        return len(self.table.operatorCodes) - 1

    def signature(
        self,
        key: str,
        graph: GraphBuilder,
        inputs: dict[str, Value],
        outputs: dict[str, Value],
    ) -> None:
        """A named entry point."""
        table = litert_schema.SignatureDefT()
        table.signatureKey = key
        table.subgraphIndex = self.graphs.index(graph)
        for pairs, field in ((inputs, "inputs"), (outputs, "outputs")):
            maps = []
            for name, value in pairs.items():
                entry = litert_schema.TensorMapT()
                entry.name, entry.tensorIndex = name, value.index
                maps.append(entry)
            setattr(table, field, maps)
        self.table.signatureDefs = [*(self.table.signatureDefs or []), table]

    def metadata(self, name: str, data: bytes) -> None:
        """A named blob."""
        table = litert_schema.MetadataT()
        table.name = name
        table.buffer = self.buffer(np.frombuffer(data, np.uint8))
        self.table.metadata = [*(self.table.metadata or []), table]

    def min_runtime_version(self, version: str) -> None:
        """The metadata that says which runtime the model needs, as the converter writes it."""
        self.metadata("min_runtime_version", version.encode().ljust(16, b"\0"))

    def build(self, *, external: bool = False) -> bytes:
        """The model as the bytes of a file.

        Args:
            external: whether buffers and custom options lie outside the flatbuffer.
        """
        self.table.subgraphs = [graph.table for graph in self.graphs]
        for graph in self.graphs:
            graph.table.inputs = np.array(graph.inputs, np.int32)
            graph.table.outputs = np.array(graph.outputs, np.int32)
        return pack_with_external_data(self.table) if external else pack(self.table)
