"""A model: read from a file, looked at, edited, written."""

from __future__ import annotations

import io
import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tflite_sparse.errors import ModelError, Place
from tflite_sparse.files.output import replacing
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.flatbuffer.schema import schema
from tflite_sparse.flatbuffer.table import Table
from tflite_sparse.model.operator import builtin_code
from tflite_sparse.model.subgraph import Subgraph
from tflite_sparse.model.tensor import Buffer, Tensor
from tflite_sparse.model.tensor_numbers import OfflinePlan, renumber
from tflite_sparse.words.numbers import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from tflite_sparse.flatbuffer.appended import Appended
    from tflite_sparse.model.operator import Operator
    from tflite_sparse.model.sizes.sized import InputShapes

__all__ = ["Metadata", "Model", "Signature"]

_ONE_BYTE_CODES = 127


class Metadata(NamedTuple):
    """A named blob of the model, such as TFLITE_METADATA or min_runtime_version."""

    name: str
    buffer: Buffer


class Signature(NamedTuple):
    """A named entry point.

    Attributes:
        key: its name, such as "serving_default".
        subgraph: the subgraph that it runs.
        inputs: (name, tensor) of each input.
        outputs: (name, tensor) of each output.
    """

    key: str
    subgraph: Subgraph
    inputs: tuple[tuple[str, Tensor], ...]
    outputs: tuple[tuple[str, Tensor], ...]


class Model:
    """A TensorFlow Lite model.

    Attributes:
        file: the file it was read from, as tables.
        table: the root table.
        name: what errors call it: the path as the user gave it, or None.
        operator_codes: the OperatorCode tables.
        buffers: the buffers, shared by identity among tensors.
        no_data: what stands for buffer 0, to which everything without data refers.
        subgraphs: the subgraphs; the first is the main one.
        signatures: the named entry points.
        metadata: the named blobs.
        offline_plan: the plan of its memory that TFLite Micro is to follow, or None.
        input_shapes: the sizes that its tensors have while it is looked at, see
            `sizes.sized.resize`; None where nobody has worked them out, so that they have those of
            the file.
    """

    def __init__(self, file: FlatFile) -> None:
        self.input_shapes: InputShapes | None = None
        self.file = file
        self.table = file.root
        source = file.source
        self.name = source.name if source else None
        self.operator_codes: list[Table] = list(self.table["operator_codes"] or [])
        self.buffers = [Buffer(t, i, source) for i, t in enumerate(self.table["buffers"] or [])]
        self.no_data = self.buffers[0] if self.buffers else Buffer(Table("Buffer"), 0, None)
        self._leading_nowhere: list[Table] = []
        self.subgraphs = [Subgraph(t, self, i) for i, t in enumerate(self.table["subgraphs"] or [])]
        self.signatures = [self._signature(t) for t in self.table["signature_defs"] or []]
        self.metadata = [self._metadata(t) for t in self.table["metadata"] or []]
        self.offline_plan = OfflinePlan.of(self)

    @classmethod
    def read(cls, file: str | os.PathLike[str] | bytes, name: str | None = None) -> Model:
        """Reads a model; a file is memory-mapped and stays so for as long as the model lives.

        Args:
            file: a path, or the bytes of a model.
            name: what errors call bytes in memory.

        Raises:
            FileError: the file cannot be read or is no .tflite file.
            FormatError: the file is damaged.
            ModelError: an index in it leads nowhere.
        """
        return cls(FlatFile.read(file, name))

    def __repr__(self) -> str:
        return f"<Model {self.name or 'in memory'}: {count_of(len(self.subgraphs), 'subgraph')}>"

    @property
    def path(self) -> Path | None:
        """The file that the model was read from."""
        return self.file.source.path if self.file.source else None

    @property
    def size(self) -> int:
        """Size in bytes of the file that the model was read from."""
        return self.file.source.size if self.file.source else 0

    @property
    def version(self) -> int:
        """Version of the schema."""
        return int(self.table["version"])

    @property
    def description(self) -> str:
        """Free text, most often the name of the converter."""
        return self.table["description"] or ""

    @property
    def read_only(self) -> str | None:
        """Why the model cannot be written without loss, or None."""
        return self.file.read_only

    @property
    def appended(self) -> tuple[Appended, ...]:
        """Runs of bytes after the flatbuffer, such as the zip of TFLite Metadata."""
        return self.file.appended

    @property
    def main(self) -> Subgraph:
        """The subgraph that runs where no signature is asked for.

        Raises:
            ModelError: there is none.
        """
        if not self.subgraphs:
            raise ModelError(
                "the model has no subgraph, so there is nothing to run", place=Place(file=self.name)
            )
        return self.subgraphs[0]

    def passed(self, nbytes: int) -> None:
        """Reports that so many bytes of the file were read and are not needed soon."""
        if self.file.source is not None:
            self.file.source.passed(nbytes)

    def operators(self) -> Iterator[Operator]:
        """All operators of all subgraphs, in the order of the file."""
        for subgraph in self.subgraphs:
            yield from subgraph.operators

    def users(self, buffer: Buffer) -> list[Tensor]:
        """The tensors of all subgraphs that refer to a buffer."""
        return [t for subgraph in self.subgraphs for t in subgraph.tensors if t.buffer is buffer]

    def add_buffer(self, data: Any = None) -> Buffer:
        """Adds a buffer after the last one."""
        if not self.buffers:
            self.buffers.append(self.no_data)
            self._list("buffers").append(self.no_data.table)
        for entry in self._leading_nowhere:
            # It must not lead to what is added.
            entry["buffer"] = 0
        self._leading_nowhere = []
        table = Table("Buffer")
        buffer = Buffer(table, len(self.buffers), None)
        if data is not None:
            buffer.data = data
        self.buffers.append(buffer)
        self._list("buffers").append(table)
        return buffer

    def operator_code(self, name: str, version: int = 1) -> Table:
        """The operator code of a builtin operator in a version, added where the model has none.

        Args:
            name: name by the schema, such as "DENSIFY".
            version: the operator's version.
        """
        number = schema().enums["BuiltinOperator"].values[name]
        for code in self.operator_codes:
            if builtin_code(code) == number and code["version"] == version:
                return code
        code = Table("OperatorCode")
        code["deprecated_builtin_code"] = min(number, _ONE_BYTE_CODES)
        code["builtin_code"] = number
        code["version"] = version
        self.operator_codes.append(code)
        self._list("operator_codes").append(code)
        return code

    def drop_unused_codes(self) -> None:
        """Removes operator codes that no operator uses."""
        used = {operator.code for operator in self.operators()}
        self.operator_codes = [code for code in self.operator_codes if code in used]
        self.table["operator_codes"] = list(self.operator_codes)
        for subgraph in self.subgraphs:
            subgraph.edited = True

    def drop_metadata(self, name: str) -> None:
        """Removes the named blobs of a name, and their data where nothing else refers to it."""
        gone = [entry for entry in self.metadata if entry.name == name]
        kept = [entry for entry in self.metadata if entry.name != name]
        tables = self.table["metadata"] or []
        self.table["metadata"] = [t for t in tables if (t["name"] or "") != name] or None
        self.metadata = kept
        for entry in gone:
            others = (*(e.buffer for e in kept), *(t.buffer for t in self.users(entry.buffer)))
            if not any(other is entry.buffer for other in others):
                entry.buffer.clear()

    def write(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Writes the model; weights that were not edited go straight from the source.

        Args:
            target: a path, which is replaced only when all is written, or a binary file.

        Returns:
            The number of bytes written.

        Raises:
            FileError: the file cannot be written.
            RewriteError: the model holds something that would be lost.
        """
        self.commit()
        if isinstance(target, (str, os.PathLike)):
            with replacing(target) as file:
                return self.file.write(file)
        return self.file.write(target)

    def to_bytes(self) -> bytes:
        """The model as the bytes of a file.

        Raises:
            RewriteError: the model holds something that would be lost.
        """
        memory = io.BytesIO()
        self.write(memory)
        return memory.getvalue()

    def to_tflite(self, module: ModuleType | None = None) -> Any:
        """The model as code that flatc generated sees it; `from_tflite` takes such a tree back.

        Args:
            module: generated code with the object API, such as `ai_edge_litert.schema_py_generated`
                or `tensorflow.lite.python.schema_py_generated`; None for the `tflite` package.

        Returns:
            A `tflite.Model`, from which everything can be read; or the module's `ModelT`, which can
            be edited. All data is in it; what lies behind the flatbuffer is its attribute
            `appended`.

        Raises:
            UsageError: the module has no object API.
            RewriteError: the model holds something that would be lost.
        """
        from tflite_sparse.model.tflite_tree import object_tree, reader_tree

        return reader_tree(self) if module is None else object_tree(self, module)

    def copy(self) -> Model:
        """The model a second time, to be edited on its own; weights stay views of the file.

        A model that has been edited is written to memory for that.

        Raises:
            RewriteError: the model was edited and holds something that would be lost.
        """
        if self.file.source is None or self._is_edited:
            twin = Model.read(self.to_bytes(), self.name)
        else:
            twin = Model(self.file.copy())
        for subgraph, other in zip(self.subgraphs, twin.subgraphs, strict=True):
            other.number_as(subgraph)
            if self.input_shapes is not None:
                for tensor, same in zip(subgraph.tensors, other.tensors, strict=True):
                    same.shape = tensor.shape
        twin.input_shapes = self.input_shapes
        return twin

    @property
    def _is_edited(self) -> bool:
        return self.table.is_edited or any(subgraph.edited for subgraph in self.subgraphs)

    def commit(self) -> None:
        """Writes edits of the graph back into the tables: operators, tensors, signatures.

        Raises:
            RewriteError: numbers of tensors beside the graph cannot follow, see `tensor_numbers`.
        """
        renumber(self)
        codes = {code: index for index, code in enumerate(self.operator_codes)}
        for subgraph in self.subgraphs:
            subgraph.commit(codes)
        for signature, table in zip(
            self.signatures, self.table["signature_defs"] or [], strict=True
        ):
            for pairs, field in ((signature.inputs, "inputs"), (signature.outputs, "outputs")):
                for (_, tensor), entry in zip(pairs, table[field] or [], strict=True):
                    if entry["tensor_index"] != tensor.index:
                        entry["tensor_index"] = tensor.index

    def _list(self, name: str) -> list[Table]:
        if self.table[name] is None:
            self.table[name] = []
        return self.table[name]  # type: ignore[no-any-return]

    def _metadata(self, table: Table) -> Metadata:
        number = table["buffer"]
        if number >= len(self.buffers):
            # The runtime passes over it.
            self._leading_nowhere.append(table)
            return Metadata(table["name"] or "", Buffer(Table("Buffer"), number, None))
        return Metadata(table["name"] or "", self.buffers[number])

    def _signature(self, table: Table) -> Signature:
        key = table["signature_key"] or ""
        number = table["subgraph_index"]
        place = Place(file=self.name, offset=table.offset)
        if number >= len(self.subgraphs):
            raise ModelError(
                f"signature {key!r} refers to subgraph {number},"
                f" the model has {len(self.subgraphs)}",
                place=place,
            )
        subgraph = self.subgraphs[number]
        sides = []
        for field in ("inputs", "outputs"):
            pairs = []
            for entry in table[field] or []:
                index = entry["tensor_index"]
                if index >= len(subgraph.tensors):
                    raise ModelError(
                        f"signature {key!r} refers to tensor {index},"
                        f" the subgraph has {len(subgraph.tensors)}",
                        place=place,
                    )
                pairs.append((entry["name"] or "", subgraph.tensors[index]))
            sides.append(tuple(pairs))
        return Signature(key, subgraph, sides[0], sides[1])
