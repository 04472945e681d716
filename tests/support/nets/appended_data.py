"""What lies behind a flatbuffer: data of buffers and custom options, zip archives, byte code."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as litert_schema
from flatbuffers import flexbuffers

from tests.support.nets.every_table import pack
from tests.support.peers.object_api import load

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["append_zip", "named_byte_code", "pack_with_external_data", "with_byte_code"]

_LATER = 2**40  # an offset of full width that stands in the file until the real one is known
_ALIGNMENT = 16


def pack_with_external_data(model: Any) -> bytes:
    """A ModelT as a file whose buffers and custom options lie outside its flatbuffer."""
    outside: list[tuple[Any, str, str, str, np.ndarray]] = [
        (buffer, "data", "offset", "size", buffer.data)
        for buffer in model.buffers
        if buffer.data is not None
    ]
    for graph in model.subgraphs:
        for operator in graph.operators:
            if operator.customOptions is not None:
                names = ("customOptions", "largeCustomOptionsOffset", "largeCustomOptionsSize")
                outside.append((operator, *names, operator.customOptions))
    for table, inside, offset, size, data in outside:
        setattr(table, inside, None)
        setattr(table, offset, _LATER)
        setattr(table, size, data.size)
    cursor = len(pack(model))
    places = []
    for table, _, offset, _, data in outside:
        cursor += -cursor % _ALIGNMENT
        setattr(table, offset, cursor)
        places.append(cursor)
        cursor += data.size
    file = bytearray(pack(model).ljust(cursor, b"\0"))
    for place, (table, inside, offset, size, data) in zip(places, outside, strict=True):
        file[place : place + data.size] = data.tobytes()
        # The model is as it was, for another file.
        setattr(table, inside, data)
        setattr(table, offset, 0)
        setattr(table, size, 0)
    return bytes(file)


def append_zip(data: bytes, files: dict[str, bytes]) -> bytes:
    """A model with files appended as TFLite Metadata does it."""
    memory = io.BytesIO(data)
    with zipfile.ZipFile(memory, "a") as archive:
        for name, content in files.items():
            # A fixed time keeps the bytes the same from run to run.
            archive.writestr(zipfile.ZipInfo(name), content)
    return memory.getvalue()


def with_byte_code(
    data: bytes,
    codes: Sequence[bytes],
    form: str = "map",
    *,
    external: bool = False,
    alignment: int = 16,
) -> bytes:
    """A model as a compiler for an NPU leaves it, with byte code behind it.

    Args:
        data: the model.
        codes: the byte code of each operator; the same one is stored once.
        form: how its place is named: "map", in options as LiteRT writes them; "narrow", in a
            flexbuffer as small as can be; "nul" or "stars", in metadata as LiteRT wrote it before.
        external: whether the data of buffers lies outside the flatbuffer.
        alignment: of the byte code, in bytes.
    """
    tree = load(data)
    packed = pack_with_external_data if external else pack
    named = [_name_byte_code(tree, form) for _ in codes]
    places = [(0, len(code)) for code in codes]
    while True:
        for (table, field), place in zip(named, places, strict=True):
            setattr(table, field, np.frombuffer(_FORMS[form](*place), np.uint8))
        file = packed(tree)
        starts: dict[bytes, int] = {}
        for code in codes:
            if code not in starts:
                file += bytes(-len(file) % alignment)
                starts[code] = len(file)
                file += code
        before, places = places, [(starts[code], len(code)) for code in codes]
        if before == places:
            return file


def named_byte_code(data: bytes) -> list[bytes]:
    """The byte code of a model, at the places where its operators and metadata say it lies."""
    tree = load(data)
    places = []
    for graph in tree.subgraphs:
        for operator in graph.operators or ():
            if tree.operatorCodes[operator.opcodeIndex].customCode == b"DISPATCH_OP":
                options = flexbuffers.Loads(bytearray(operator.customOptions.tobytes()))
                places.append((options["bytecode_offset"], options["bytecode_size"]))
    for entry in tree.metadata or ():
        if entry.name == b"NPU_BYTE_CODE":
            text = bytes(tree.buffers[entry.buffer].data).decode().removeprefix("<npu_byte_code>")
            first, size = text.strip("[]").split(",") if "[" in text else (text[:11], text[11:])
            places.append((int(first.strip("*\0")), int(size.strip("*\0"))))
    return [data[start : start + size] for start, size in places]


_FORMS = {
    # Keys in the order in which LiteRT adds them: that of a flexbuffer is by name.
    "map": lambda start, size: _flexbuffer(start, size, flexbuffers.BitWidth.W64),
    "narrow": lambda start, size: _flexbuffer(start, size, flexbuffers.BitWidth.W8),
    "nul": lambda start, size: (
        b"<npu_byte_code>"
        + str(start).encode().ljust(11, b"\0")
        + str(size).encode().ljust(11, b"\0")
    ),
    "stars": lambda start, size: f"<npu_byte_code>[{start:*>10},{size:*>10}]".encode(),
}


def _flexbuffer(start: int, size: int, width: flexbuffers.BitWidth) -> bytes:
    builder = flexbuffers.Builder(force_min_bit_width=width)
    builder.Add({"bytecode_size": size, "bytecode_offset": start, "name": "partition_0"})
    return bytes(builder.Finish())


def _name_byte_code(tree: Any, form: str) -> tuple[Any, str]:
    """Adds a table that will name byte code: the table, and its field that does."""
    if form in {"nul", "stars"}:
        buffer, entry = litert_schema.BufferT(), litert_schema.MetadataT()
        tree.buffers.append(buffer)
        entry.name, entry.buffer = b"NPU_BYTE_CODE", len(tree.buffers) - 1
        tree.metadata = [*(tree.metadata or []), entry]
        return buffer, "data"
    code, operator = litert_schema.OperatorCodeT(), litert_schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = litert_schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = b"DISPATCH_OP", 1
    operator.opcodeIndex = len(tree.operatorCodes)
    tree.operatorCodes.append(code)
    graph = tree.subgraphs[0]
    result = litert_schema.TensorT()
    result.name, result.shape, result.buffer = b"dispatched", np.array([1], np.int32), 0
    graph.tensors.append(result)
    operator.inputs = np.array([graph.inputs[0]], np.int32)
    operator.outputs = np.array([len(graph.tensors) - 1], np.int32)
    graph.outputs = np.array([*graph.outputs, len(graph.tensors) - 1], np.int32)
    graph.operators.append(operator)
    return operator, "customOptions"
