"""Models as the code that flatc generates sees them, and back: what others read and edit them by.

The `tflite` package has such code for reading. What LiteRT and TensorFlow ship has the object API
too: a `ModelT`, whose attributes can be set.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tflite_sparse.errors import ModelError, RewriteError, UsageError
from tflite_sparse.flatbuffer.external import EXTERNAL, external_range
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from tflite_sparse.flatbuffer.appended import Appended

__all__ = ["from_tflite", "object_tree", "reader_tree"]


def reader_tree(model: Model) -> Any:
    """The `tflite.Model` of a model; see `Model.to_tflite`."""
    import tflite

    return tflite.Model.GetRootAs(model.to_bytes(), 0)


def object_tree(model: Model, module: ModuleType) -> Any:
    """The `ModelT` of a model; see `Model.to_tflite`."""
    if not hasattr(module, "ModelT"):
        raise UsageError(
            f"{module.__name__} has no object API",
            hint="ai_edge_litert.schema_py_generated has one",
        )
    inside = _all_inside(model)
    data = inside.to_bytes()
    tree = module.ModelT.InitFromObj(module.Model.GetRootAs(data, 0))
    difference = next(_differences(inside.table, Model.read(_packed(tree)).table, "model"), None)
    if difference is not None:
        raise RewriteError(f"{module.__name__} does not know {difference}, and would lose it")
    # Where these lie in the file whose offsets the tree has.
    tree.appended = Model.read(data).appended
    return tree


def from_tflite(tree: Any) -> Model:
    """A model out of a tree of generated code, such as `Model.to_tflite` gives.

    Args:
        tree: a `tflite.Model` or the `Model` of another module that flatc generated, read from the
            bytes of a whole file; or a `ModelT`. What lay behind the flatbuffer when `to_tflite`
            made the tree, such as the zip of TFLite Metadata, comes along.

    Raises:
        UsageError: it is no such tree.
        ModelError: something in the tree has another type or range than the format.
        RewriteError: the tree refers to data that it does not hold.
        FormatError: the tree was read from something damaged.
    """
    if hasattr(tree, "Pack"):
        return Model.read(_with_appended(_packed(tree), getattr(tree, "appended", ())))
    # The only way from a table to the bytes that it was read from.
    table = getattr(tree, "_tab", None)
    data = bytes(table.Bytes) if table is not None else b""
    if table is None or int.from_bytes(data[:4], "little") != table.Pos:
        raise UsageError(
            f"{type(tree).__name__} is no tree of a whole model",
            hint="give a tflite.Model that was read from the bytes of a file, or a ModelT",
        )
    return Model.read(data)


def _packed(tree: Any) -> bytes:
    """The flatbuffer of a tree."""
    import flatbuffers

    builder = flatbuffers.Builder(0)
    try:
        builder.Finish(tree.Pack(builder), schema().identifier)
        data = bytes(builder.Output())
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"the tree makes no model: {reason}") from error
    _refuse_data_elsewhere(tree)
    return data


def _refuse_data_elsewhere(tree: Any) -> None:
    """Refuses offsets into a file, which is not the one that the tree is packed into."""
    for number, buffer in enumerate(tree.buffers or ()):
        # Code from before there was such data does not have these fields.
        if buffer.data is None and getattr(buffer, "offset", 0) > 1:
            raise RewriteError(f"buffer {number} refers to data that the tree does not hold")
    for graph in tree.subgraphs or ():
        for number, operator in enumerate(graph.operators or ()):
            offset = getattr(operator, "largeCustomOptionsOffset", 0)
            if operator.customOptions is None and offset > 1:
                raise RewriteError(
                    f"operator {number} refers to options that the tree does not hold"
                )


def _all_inside(model: Model) -> Model:
    """The model, or a copy with all data inside the flatbuffer, where a tree has its place.

    Raises:
        RewriteError: that does not fit.
    """
    twin = model.copy()
    source = twin.file.source
    assert source is not None  # noqa: S101 - a copy is read from bytes
    moved = False
    for table in (*(b.table for b in twin.buffers), *(op.table for op in twin.operators())):
        where = external_range(table)
        if where is not None:
            table[EXTERNAL[table.name].inside] = source.data[where[0] : where[0] + where[1]]
            moved = True
    if not moved:
        return twin
    inside = Model.read(twin.to_bytes(), model.name)
    if any(external_range(buffer.table) for buffer in inside.buffers):
        raise RewriteError("the model passes 2 GiB, which is more than a tree can be packed into")
    return inside


def _with_appended(data: bytes, runs: Sequence[Appended]) -> bytes:
    """A flatbuffer and what lay behind it, to which it may refer by its former place."""
    if not runs:
        return data
    file = FlatFile.read(data)
    memory = io.BytesIO()
    FlatFile(file.root, file.source, file.verified, tuple(runs), file.byte_code).write(memory)
    return memory.getvalue()


def _differences(a: Table, b: Table, path: str) -> Iterator[str]:
    """Where two tables differ in meaning, as paths of fields."""
    for field in a.definition.fields:
        name = f"{path}.{field.name}"
        left, right = a[field.name], b[field.name]
        if isinstance(left, Table) and isinstance(right, Table) and left.name == right.name:
            yield from _differences(left, right, name)
        elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for number, (one, other) in enumerate(zip(left, right, strict=True)):
                if isinstance(one, Table):
                    yield from _differences(one, cast("Table", other), f"{name}[{number}]")
                elif one != other:
                    yield f"{name}[{number}]"
        elif not _same(left, right):
            yield name


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and left.tobytes() == right.tobytes()
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right)  # noqa: PLR0124 - NaN
    return type(left) is type(right) and bool(left == right)
