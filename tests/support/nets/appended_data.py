"""What lies behind a flatbuffer: data of buffers and custom options, and a zip archive."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from tests.support.nets.every_table import pack

if TYPE_CHECKING:
    import numpy as np

__all__ = ["append_zip", "pack_with_external_data"]

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
