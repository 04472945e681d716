"""What a browser is given in place of a model that its runtime does not take as it is.

LiteRT.js compares the shape of an input with the one in the file, open sizes and all, and its
JavaScript knows three types of elements, of which its WebAssembly has many more.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tflite_sparse.errors import RewriteError, UsageError
from tflite_sparse.model.sizes.fix import fixed_copy
from tflite_sparse.model.sizes.sized import input_shapes_of
from tflite_sparse.xnnpack.releases.runtimes import LITERTJS_TYPES

if TYPE_CHECKING:
    from tflite_sparse.model import Model

__all__ = ["ENTRY", "WebSubject", "for_browser", "with_all_types"]

ENTRY = "core/dist/index.js"
"""The module of LiteRT.js that a page imports."""

_TABLE = b"var DATATYPES = Object.freeze(["
_OTHERS = {
    "bool": ("BoolArray", "BOOL"),
    "float16": ("globalThis.Float16Array", "FLOAT16"),
    "float64": ("Float64Array", "FLOAT64"),
    "int8": ("Int8Array", "INT8"),
    "int16": ("Int16Array", "INT16"),
    "int64": ("BigInt64Array", "INT64"),
    "uint16": ("Uint16Array", "UINT16"),
    "uint32": ("Uint32Array", "UINT32"),
    "uint64": ("BigUint64Array", "UINT64"),
}


class WebSubject(NamedTuple):
    """A model as the browser gets it.

    Attributes:
        content: its bytes, or its file.
        note: in which way it is not what the file holds, or what of it LiteRT.js refuses on its
            own; "" for nothing.
    """

    content: bytes | Path
    note: str


def for_browser(model: Model) -> WebSubject:
    """A model as a browser takes it: a copy of fixed size where the file leaves sizes open.

    Args:
        model: a model that was read from a file; it has the sizes at which it is to run.
    """
    content: bytes | Path = Path(str(model.path))
    notes = []
    sizes = input_shapes_of(model)
    if sizes.inputs:
        shapes = {tensor.name: tensor.shape for tensor in model.main.inputs}
        try:
            content = fixed_copy(model, shapes).to_bytes()
        except (RewriteError, UsageError) as error:
            notes.append(f"LiteRT.js takes no open sizes, and they cannot be fixed: {error}")
        else:
            notes.append(
                f"a copy of fixed size {sizes.words}, for LiteRT.js takes no open sizes;"
                f" 'optimize {sizes.fixing}' makes one that runs in your page"
            )
    foreign = {
        tensor.type
        for tensor in (*model.main.inputs, *model.main.outputs)
        if tensor.type not in LITERTJS_TYPES
    }
    if foreign:
        notes.append(f"LiteRT.js itself takes no {' and no '.join(sorted(foreign))}")
    return WebSubject(content, "; ".join(notes))


def with_all_types(entry: bytes) -> bytes:
    """LiteRT.js with the types of elements that its WebAssembly has, and it has no names for.

    Args:
        entry: the module; one that has no such table stays as it is.
    """
    rows = ", ".join(
        f'{{ dtype: "{name}", typedArrayConstructor: {array} ?? class {{}},'
        f" elementType: ElementType.{kind} }}"
        for name, (array, kind) in _OTHERS.items()
    )
    classes = "const BoolArray = globalThis.BoolArray = class extends Uint8Array {};\n"
    return entry.replace(_TABLE, classes.encode() + _TABLE + rows.encode() + b", ", 1)
