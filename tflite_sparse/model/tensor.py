"""Buffers and the tensors that use them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import ModelError, Place, shown_shape
from tflite_sparse.flatbuffer.external import external_range
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.model.types import bits, dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.flatbuffer.source import Source
    from tflite_sparse.flatbuffer.table import Table
    from tflite_sparse.model.model import Model
    from tflite_sparse.model.subgraph import Subgraph

__all__ = ["Buffer", "Tensor"]

_MOST_ELEMENTS = 2**63 - 1


class Buffer:
    """Constant data that tensors and metadata refer to, shared by identity.

    Attributes:
        table: the Buffer table.
        index: position among the model's buffers; buffer 0 is always empty.
    """

    __slots__ = ("_edit", "_source", "index", "table")

    def __init__(self, table: Table, index: int, source: Source | None) -> None:
        self.table = table
        self.index = index
        self._source = source
        # A new object with every edit.
        self._edit = object()

    def __repr__(self) -> str:
        return f"<Buffer {self.index}: {self.nbytes} bytes>"

    @property
    def external(self) -> bool:
        """Whether the data is stored outside the flatbuffer (`Buffer.offset` and `size`)."""
        return external_range(self.table) is not None

    @property
    def content(self) -> object:
        """The identity of the data: equal for two buffers that refer to the same bytes of a file.

        Every edit changes it, whether or not the bytes differ.
        """
        where = external_range(self.table) or self.table.location("data")
        return self._edit if where is None else (self._source, where)

    @property
    def nbytes(self) -> int:
        """Size of the data in bytes; does not compute data that is still deferred."""
        where = external_range(self.table)
        if where is not None:
            return where[1]
        data = self.table["data"]
        return 0 if data is None else int(data.nbytes)

    @property
    def data(self) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,): a view of the file, or what an edit has put in its place."""
        where = external_range(self.table)
        if where is not None and self._source is not None:
            return self._source.data[where[0] : where[0] + where[1]]
        data = self.table["data"]
        if data is None:
            return np.empty(0, np.uint8)
        return data.compute() if isinstance(data, Deferred) else np.asarray(data)

    @data.setter
    def data(self, value: Any) -> None:
        """Replaces the data; it is then stored inside the flatbuffer as long as there is room."""
        if external_range(self.table) is not None:
            self.table["offset"] = None
            self.table["size"] = None
        if not isinstance(value, (Deferred, bytes, bytearray)):
            value = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        self.table["data"] = value
        self._edit = object()

    def clear(self) -> None:
        """Removes the data; the buffer keeps its index."""
        for field in ("data", "offset", "size"):
            self.table[field] = None
        self._edit = object()


class Tensor:
    """A tensor of a subgraph.

    Attributes:
        table: the Tensor table.
        subgraph: the subgraph that it belongs to.
        index: position among the subgraph's tensors.
        number: by which it is known however the graph is edited, copied and written: its index in
            the file that was read, or for one that was added since a number that no other has.
        buffer: the buffer that it refers to.
        type: element type by the schema's name, such as "FLOAT32".
        shape: sizes; () for a scalar and for a tensor whose shape is not stated. Where the file
            leaves sizes open, those of `Model.input_shapes`, and until there are any those that
            stand in the file.
    """

    __slots__ = ("buffer", "index", "number", "shape", "subgraph", "table", "type")

    def __init__(self, table: Table, subgraph: Subgraph, index: int, buffer: Buffer) -> None:
        self.table = table
        self.subgraph = subgraph
        self.index = index
        self.number = index
        self.buffer = buffer
        self.type = table.enum("type")
        shape = table["shape"]
        self.shape: tuple[int, ...] = () if shape is None else tuple(shape.tolist())

    def __repr__(self) -> str:
        return f"<Tensor {self.index} {self.name!r} {self.type}{list(self.shape)}>"

    @property
    def name(self) -> str:
        """The name, "" where it has none; names need not be unique."""
        return self.table["name"] or ""

    @property
    def place(self) -> Place:
        """Where the tensor is, for errors."""
        model = self.subgraph.model
        return Place(
            file=model.name,
            subgraph=str(self.subgraph.index) if len(model.subgraphs) > 1 else None,
            tensor=f"{self.index} {self.name!r}",
        )

    @property
    def shape_signature(self) -> tuple[int, ...] | None:
        """The shape with -1 for dynamic sizes, or None where all are fixed."""
        signature = self.table["shape_signature"]
        return None if signature is None else tuple(signature.tolist())

    @property
    def is_variable(self) -> bool:
        """Whether the tensor keeps its value between runs."""
        return bool(self.table["is_variable"])

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's value."""
        return self.buffer.nbytes > 0

    @property
    def quantization(self) -> Table | None:
        """The QuantizationParameters table."""
        return self.table["quantization"]  # type: ignore[no-any-return]

    @property
    def sparsity(self) -> Table | None:
        """The SparsityParameters table, None for a tensor that is stored dense."""
        return self.table["sparsity"]  # type: ignore[no-any-return]

    def retype(self, kind: str, quantization: Table | None) -> None:
        """Gives the tensor another element type; its data are for the caller to replace.

        Args:
            kind: the element type by the schema's name.
            quantization: the QuantizationParameters table that goes with it.
        """
        self.table.set_enum("type", kind)
        self.table["quantization"] = quantization
        self.type = kind

    @property
    def size(self) -> int:
        """Number of elements of the dense tensor.

        Raises:
            ModelError: a size is negative, or there are more elements than 64 bits count.
        """
        if any(size < 0 for size in self.shape):
            raise ModelError(
                f"shape {shown_shape(self.shape)} has a negative size", place=self.place
            )
        size = math.prod(self.shape)
        if size > _MOST_ELEMENTS:
            raise ModelError(
                f"shape {shown_shape(self.shape)} has more elements than any memory",
                place=self.place,
            )
        return size

    @property
    def dense_nbytes(self) -> int | None:
        """Bytes of the dense tensor, None where elements have no fixed width."""
        width = bits(self.type)
        return None if width is None else -(-self.size * width // 8)

    @property
    def stored_values(self) -> NDArray[Any]:
        """The stored values of a constant as the buffer holds them, 1-D.

        Raises:
            ModelError: the type has no fixed width, or the buffer ends within a value.
        """
        kind = dtype(self.type)
        raw = self.buffer.data
        if kind is None:
            raise ModelError(f"values of type {self.type} cannot be read", place=self.place)
        if raw.size % kind.itemsize:
            raise ModelError(
                f"the buffer has {raw.size} bytes, not a multiple of {kind.itemsize}",
                place=self.place,
            )
        return raw.view(kind)

    @property
    def data(self) -> NDArray[Any] | None:
        """The value of a dense constant in its shape: a read-only view of the file, never a copy.

        Packed types (INT4, UINT4, INT2) are unpacked to one byte an element. None for a tensor
        without data or with elements of no fixed width.

        Raises:
            ModelError: the buffer does not hold as many bytes as the shape asks for, or the tensor
                is stored sparse.
        """
        width = bits(self.type)
        if not self.is_constant or width is None:
            return None
        if self.sparsity is not None:
            raise ModelError("the tensor is stored sparse and must be decoded", place=self.place)
        self.check_size()
        kind = dtype(self.type)
        if kind is None:
            return _unpack(self.buffer.data, width, self.type, self.size).reshape(self.shape)
        return self.buffer.data.view(kind).reshape(self.shape)

    def numpy(self) -> NDArray[Any]:
        """The value of a constant in its shape, sparse or dense: an array of the caller's own.

        Raises:
            ModelError: it has no value, or none of a fixed width.
            EncodingError: a sparse encoding is malformed.
        """
        from tflite_sparse.model.sparse import decoded

        value = decoded(self)
        if value is None:
            raise ModelError("the file holds no value of this tensor", place=self.place)
        return np.array(value)

    def set(self, value: NDArray[Any]) -> None:
        """Gives a constant another value of the same shape and type, stored dense.

        Tensors that share its buffer get the value too.

        Args:
            value: the value; its type must be that of the tensor, see `numpy`.

        Raises:
            ModelError: the shape or type is another, or the tensor is stored sparse or packed.
        """
        kind = dtype(self.type)
        array = np.asarray(value)
        if kind is None or self.sparsity is not None or not self.is_constant:
            raise ModelError(
                "the tensor is no dense constant of whole bytes",
                place=self.place,
                hint="densify stores sparse weights dense",
            )
        if array.shape != self.shape or array.dtype != kind:
            raise ModelError(
                f"the value is {array.dtype}{list(array.shape)},"
                f" the tensor {kind}{list(self.shape)}",
                place=self.place,
            )
        self.buffer.data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)

    def twin_in(self, copy: Model) -> Tensor:
        """The tensor that is in its place in a copy of its model.

        Args:
            copy: a model with the same tensors.
        """
        return copy.subgraphs[self.subgraph.index].tensors[self.index]

    def store_in(self, buffer: Buffer) -> None:
        """Lets the tensor hold its value in another buffer, empty for what is computed."""
        self.buffer = buffer
        self.table["buffer"] = buffer.index

    def check_size(self) -> None:
        """Checks that the buffer of a dense constant is as large as its shape and type ask.

        Raises:
            ModelError: it is not.
        """
        wanted = self.dense_nbytes
        if wanted is not None and self.buffer.nbytes != wanted:
            raise ModelError(
                f"shape {shown_shape(self.shape)} of {self.type} needs {wanted:,} bytes,"
                f" buffer {self.buffer.index} has {self.buffer.nbytes:,}",
                place=self.place,
            )


def _unpack(raw: NDArray[np.uint8], width: int, kind: str, size: int) -> NDArray[Any]:
    shifts = np.arange(0, 8, width, dtype=np.uint8)
    fields = ((raw[:, None] >> shifts) & ((1 << width) - 1)).reshape(-1)[:size]
    if kind.startswith("U"):
        return fields
    # Sign extension within a byte.
    return (fields << (8 - width)).astype(np.int8) >> (8 - width)
