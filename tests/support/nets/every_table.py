"""Models that use every option table of the format, filled by the schema with values of each type.

The schema says what a field holds; the LiteRT wheel's object API builds the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema

from tflite_sparse.flatbuffer.schema import schema

if TYPE_CHECKING:
    from tflite_sparse.flatbuffer.schema import FieldDef

__all__ = ["every_option_model", "filled", "pack"]


def pack(model: Any) -> bytes:
    """A ModelT as the bytes of a file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _number(field: FieldDef, rng: np.random.Generator) -> Any:
    kind = np.dtype(str(field.scalar)).kind
    if kind == "b":
        return True
    if kind == "f":
        return float(np.float32(rng.normal()))
    if field.enum and field.enum in schema().enums:
        return int(rng.choice(sorted(schema().enums[field.enum].names)))
    return int(rng.integers(1, 100))


def filled(name: str, rng: np.random.Generator) -> Any:
    """An object of the object API with every field of the table set."""
    made = getattr(litert_schema, f"{name}T")()
    for field in schema().tables[name].fields:
        if field.kind == "scalar" and field.name.endswith("_type") and field.enum:
            union = schema().unions.get(field.enum)
            if union is not None:
                continue
        attribute = _camel(field.name)
        if field.deprecated:
            continue
        if not hasattr(made, attribute):
            raise AssertionError(f"{name}.{field.name} has no attribute {attribute}")
        setattr(made, attribute, _VALUES[field.kind](field, rng))
        if field.kind == "union":
            kind, _ = _member(field)
            setattr(made, f"{attribute}Type", kind)
    return made


def _member(field: FieldDef) -> tuple[int, str]:
    members = schema().unions[str(field.union)].members
    return max(members.items())


def _numbers(field: FieldDef, rng: np.random.Generator) -> Any:
    values = [_number(field, rng) for _ in range(int(rng.integers(1, 40)))]
    return np.array(values, np.dtype(str(field.scalar)))


_VALUES = {
    "scalar": _number,
    "vector_scalar": _numbers,
    "string": lambda field, rng: f"{field.name} {rng.integers(1000)}",
    "vector_string": lambda _field, _rng: ["one", "", "three"],
    "table": lambda field, rng: filled(str(field.table), rng),
    "vector_table": lambda field, rng: [filled(str(field.table), rng) for _ in range(2)],
    "union": lambda field, rng: filled(_member(field)[1], rng),
}


def every_option_model(seed: int = 0) -> bytes:
    """A model with one operator for each member of both option unions."""
    rng = np.random.default_rng(seed)
    model = litert_schema.ModelT()
    model.version = 3
    model.description = "every option table"
    model.operatorCodes = []
    graph = litert_schema.SubGraphT()
    graph.name = "main"
    graph.inputs, graph.outputs = np.array([0], np.int32), np.array([1], np.int32)
    graph.tensors = [filled("Tensor", rng) for _ in range(2)]
    for tensor in graph.tensors:
        tensor.buffer = 0
    graph.operators = []
    for union, attribute in (
        ("BuiltinOptions", "builtinOptions"),
        ("BuiltinOptions2", "builtinOptions2"),
    ):
        for kind, name in sorted(schema().unions[union].members.items()):
            code = litert_schema.OperatorCodeT()
            code.builtinCode = kind
            code.deprecatedBuiltinCode = min(kind, 127)
            code.version = 2
            model.operatorCodes.append(code)
            operator = filled("Operator", rng)
            operator.opcodeIndex = len(model.operatorCodes) - 1
            operator.inputs, operator.outputs = np.array([0], np.int32), np.array([1], np.int32)
            operator.intermediates = np.array([0], np.int32)
            operator.mutatingVariableInputs = [True]
            operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0
            operator.builtinOptions = operator.builtinOptions2 = None
            operator.builtinOptionsType = operator.builtinOptions2Type = 0
            setattr(operator, attribute, filled(name, rng))
            setattr(operator, f"{attribute}Type", kind)
            graph.operators.append(operator)
    model.subgraphs = [graph]
    model.buffers = [litert_schema.BufferT()]
    return pack(model)
