"""Stores sparse tensors dense again, so that everything that reads .tflite files can read them."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import decode
from tflite_sparse.errors import EncodingError, ModelError, shown_shape
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.model.sparse import encoding_of, weight_bytes
from tflite_sparse.model.weights import find_weights
from tflite_sparse.model.zero_counts import count
from tflite_sparse.rewrite.changes import (
    Left,
    OperatorChange,
    Rewrite,
    RewriteKind,
    WeightChange,
    version_changes,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.unpacking import bypass, remove_unpacking
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.storage.encoding_choice import same_encoding
from tflite_sparse.storage.encoding_words import encoding_words
from tflite_sparse.storage.fully_connected import SPARSE_VERSION, dense_version, set_version
from tflite_sparse.storage.options import DensifyOptions
from tflite_sparse.storage.refusals import Refusal
from tflite_sparse.storage.values.options import StoredValues
from tflite_sparse.storage.weight_id import WeightId

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.encoding import SparseEncoding
    from tflite_sparse.model import Model, Operator, Tensor
    from tflite_sparse.model.weights import Weight

__all__ = ["Densify", "densify"]

# A hostile file may claim any shape for a few values; only plausible ones are made dense.
_PLAUSIBLE_BYTES = 64 * 2**20
_PLAUSIBLE_RATIO = 4096


class Densify(ModelPass):
    """Stores every sparse tensor dense, see `densify`."""

    name = RewriteKind.DENSIFY
    summary = "Store every sparse weight dense and remove the DENSIFY operators."

    def __init__(self, options: DensifyOptions | None = None) -> None:
        self.options = options or DensifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Edits the graph and the buffers of every weight that can be stored dense."""
        result = _Result()
        for weight in find_weights(model, by_bytes=True):
            if any(tensor.sparsity is not None for tensor in weight.tensors):
                _store_dense(model, weight, self.options, result)
        if result.changes:
            remove_unpacking(result.idle)
            model.drop_unused_codes()
        removed = (OperatorChange("DENSIFY", removed=len(result.idle)),) if result.idle else ()
        return Rewrite(
            model,
            self.name,
            tuple(result.changes),
            tuple(result.left),
            (*removed, *version_changes("FULLY_CONNECTED", result.versions)),
            expected=tuple(result.expected),
        )


def densify(model: Model, options: DensifyOptions | None = None) -> Rewrite:
    """Stores every sparse tensor dense and removes the DENSIFY operators.

    A tensor keeps its index, name and buffer; DENSIFY operators go with their output tensors and,
    where none is left, their operator code. A FULLY_CONNECTED that read a sparse weight directly
    gets the version that its dense form needs. With `DensifyOptions.values`, constants behind a
    DEQUANTIZE are then stored as the fp32 values that the runtime makes of them.

    Args:
        model: the model; it is edited in place. The dense values are computed when it is written.
        options: which tensors, and the smallest numbers that may stay.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding is malformed.
    """
    result = Densify(options).run(model)
    if options is None or options.values is StoredValues.INT8:
        return result
    # Only where it is asked for: the module imports this one.
    from tflite_sparse.rewrite.sequence import joined
    from tflite_sparse.rewrite.storage.unpack_values import UnpackValues

    return joined(result, UnpackValues(options).run(model))


class _Result:
    """What was done so far.

    Attributes:
        changes: weights that are stored dense now.
        left: weights that are not.
        expected: what the tensors of the former must hold.
        idle: DENSIFY operators that nothing reads any more.
        versions: version before and after -> number of FULLY_CONNECTED.
    """

    def __init__(self) -> None:
        self.changes: list[WeightChange] = []
        self.left: list[Left] = []
        self.expected: list[Expected] = []
        self.idle: list[Operator] = []
        self.versions: Counter[tuple[int, int]] = Counter()


def _store_dense(model: Model, weight: Weight, options: DensifyOptions, result: _Result) -> None:
    """Stores one weight dense, or says why not."""
    encodings = [encoding_of(t) for t in weight.tensors if t.sparsity is not None]
    encoding = encodings[0]
    name, stored, nbytes = WeightId.of(weight), encoding_words(encoding), weight_bytes(weight)
    refusal = _refusal(weight, encodings, options)
    elements = int(np.prod(weight.tensor.shape, dtype=np.int64))
    values = count(encoding.values, weight.tensor.type)
    zeros = elements - values.elements + values.zeros
    if refusal is not None:
        result.left.append(Left(name, zeros, elements, stored, nbytes, *refusal))
        return
    moved = _make_dense(model, weight, encoding, result)
    result.expected += [Expected(tensor, encoding=encoding) for tensor in weight.tensors]
    result.changes.append(
        WeightChange(
            weight=name,
            elements=elements,
            zeros=zeros,
            zeroed=0,
            before=stored,
            after="dense",
            bytes_before=nbytes,
            bytes_after=int(weight.tensor.dense_nbytes or 0),
            note="FULLY_CONNECTED read it without DENSIFY" if moved else None,
        )
    )


def _refusal(
    weight: Weight, encodings: list[SparseEncoding], options: DensifyOptions
) -> Refusal | None:
    """Why a weight is left as it is; None where it can be stored dense."""
    chosen = options.selection.refusal(weight.tensor, weight.readers)
    if chosen is not None:
        return Refusal("not-asked", chosen)
    if weight.is_metadata:
        return Refusal("metadata", "the metadata refer to its buffer")
    if not weight.alike or not all(same_encoding(encodings[0], e) for e in encodings[1:]):
        return Refusal("shared-unlike", "tensors that share its buffer read it in different ways")
    size = weight.tensor.dense_nbytes or 0
    if size > max(_PLAUSIBLE_BYTES, _PLAUSIBLE_RATIO * weight_bytes(weight)):
        raise EncodingError(
            f"shape {shown_shape(weight.tensor.shape)} asks for {size:,} bytes,"
            f" the file stores {weight_bytes(weight):,} for it",
            place=weight.tensor.place,
        )
    return next(filter(None, map(_densify_refusal, weight.tensors)), None)


def _densify_refusal(tensor: Tensor) -> Refusal | None:
    """Why the DENSIFY operators that read a tensor cannot go."""
    for use in tensor.subgraph.consumers(tensor):
        if use.operator.name != "DENSIFY":
            continue
        if len(use.operator.outputs) != 1:
            count = len(use.operator.outputs)
            return Refusal("malformed", f"the DENSIFY that reads it has {count} outputs")
        if not _reads_alike(tensor, use.operator.outputs[0]):
            return Refusal("malformed", "the output of its DENSIFY has another type or shape")
        if use.operator.outputs[0].is_constant:
            # That is what its readers get, whatever the DENSIFY makes.
            return Refusal("malformed", "the output of its DENSIFY has data of its own")
        if _is_result(use.operator):
            return Refusal("graph-output", "its dense value is an output of the graph")
    return None


def _reads_alike(tensor: Tensor, dense: Tensor) -> bool:
    """Whether an operator that reads the one in place of the other gets the same values."""
    if (tensor.type, tensor.shape) != (dense.type, dense.shape):
        return False
    # The quantization of floats is a note of the training, which no kernel reads.
    return tensor.type.startswith("FLOAT") or all(
        _numbers(tensor, name) == _numbers(dense, name)
        for name in ("scale", "zero_point", "quantized_dimension")
    )


def _numbers(tensor: Tensor, name: str) -> Any:
    value = None if tensor.quantization is None else tensor.quantization[name]
    return value.tolist() if isinstance(value, np.ndarray) else value or None


def _is_result(operator: Operator) -> bool:
    return not operator.subgraph.interface.isdisjoint(operator.outputs)


def _make_dense(model: Model, weight: Weight, encoding: SparseEncoding, result: _Result) -> bool:
    """Edits the graph and the buffers; whether an operator read the weight without DENSIFY."""
    size = weight.tensor.dense_nbytes
    if size is None:
        raise ModelError("its type has no fixed width", place=weight.tensor.place)
    data = Deferred(size, np.dtype("u1"), partial(_bytes_of, encoding))
    moved = False
    for tensor in weight.tensors:
        for use in tensor.subgraph.consumers(tensor):
            if use.operator.name == "FULLY_CONNECTED" and use.operand == 1:
                moved |= _restore_version(model, use.operator, result.versions)
        result.idle += bypass(tensor, "DENSIFY")
        tensor.table["sparsity"] = None
    for buffer in weight.buffers:
        buffer.data = data
    return moved


def _bytes_of(encoding: SparseEncoding) -> NDArray[Any]:
    return decode(encoding).reshape(-1).view(np.uint8)


def _restore_version(model: Model, operator: Operator, versions: Counter[tuple[int, int]]) -> bool:
    # Only version 8 is there for the sparse weight; later ones are for the types.
    if operator.version != SPARSE_VERSION:
        return False
    after = dense_version(operator)
    set_version(model, operator, after)
    versions[SPARSE_VERSION, after] += 1
    return True
