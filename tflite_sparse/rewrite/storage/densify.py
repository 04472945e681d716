"""Stores sparse tensors dense again, so that everything that reads .tflite files can read them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import decode
from tflite_sparse.errors import EncodingError, ModelError, shown_shape
from tflite_sparse.flatbuffer.payload import Deferred
from tflite_sparse.inspection.weights.encoding_words import encoding_words
from tflite_sparse.model.sparse import encoding_of, stored_bytes
from tflite_sparse.rewrite.changes import (
    Left,
    OperatorChange,
    Rewrite,
    WeightChange,
    version_changes,
)
from tflite_sparse.rewrite.model_pass import ModelPass
from tflite_sparse.rewrite.storage.encoding_choice import same_encoding
from tflite_sparse.rewrite.storage.fully_connected import SPARSE_VERSION, dense_version, set_version
from tflite_sparse.rewrite.storage.options import DensifyOptions
from tflite_sparse.rewrite.storage.shared_weights import shared_weights, weight_id
from tflite_sparse.rewrite.writing.proof import Expected

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

    name = "densify"
    summary = "Store every sparse weight dense and remove the DENSIFY operators."

    def __init__(self, options: DensifyOptions | None = None) -> None:
        self.options = options or DensifyOptions()

    def apply(self, model: Model) -> Rewrite:
        """Edits the graph and the buffers of every weight that can be stored dense."""
        changes: list[WeightChange] = []
        left: list[Left] = []
        expected: list[Expected] = []
        idle: list[Operator] = []
        versions: dict[tuple[int, int], int] = {}
        for weight in shared_weights(model):
            if all(tensor.sparsity is None for tensor in weight.tensors):
                continue
            encodings = [encoding_of(t) for t in weight.tensors if t.sparsity is not None]
            refusal = _refusal(weight, encodings, self.options)
            stored = _bytes(weight)
            elements = int(np.prod(weight.tensor.shape, dtype=np.int64))
            zeros = elements - int(np.count_nonzero(encodings[0].values))
            if refusal is not None:
                left.append(
                    Left(
                        weight_id(weight),
                        zeros,
                        elements,
                        encoding_words(encodings[0]),
                        stored,
                        *refusal,
                    )
                )
                continue
            before = encoding_words(encodings[0])
            operators, notes = _make_dense(model, weight, encodings[0], versions)
            idle += operators
            expected += [Expected(t, encoding=encodings[0]) for t in weight.tensors]
            changes.append(
                WeightChange(
                    weight=weight_id(weight),
                    elements=elements,
                    zeros=zeros,
                    zeroed=0,
                    before=before,
                    after="dense",
                    bytes_before=stored,
                    bytes_after=int(weight.tensor.dense_nbytes or 0),
                    note=notes,
                )
            )
        if changes:
            _remove(idle)
            model.drop_unused_codes()
        operators_changed = (OperatorChange("DENSIFY", removed=len(idle)),) if idle else ()
        return Rewrite(
            model,
            self.name,
            tuple(changes),
            tuple(left),
            (*operators_changed, *version_changes("FULLY_CONNECTED", versions)),
            expected=tuple(expected),
        )


def densify(model: Model, options: DensifyOptions | None = None) -> Rewrite:
    """Stores every sparse tensor dense and removes the DENSIFY operators.

    A tensor keeps its index, name and buffer; DENSIFY operators go with their output tensors and,
    where none is left, their operator code. A FULLY_CONNECTED that read a sparse weight directly
    gets the version that its dense form needs.

    Args:
        model: the model; it is edited in place. The dense values are computed when it is written.
        options: which tensors.

    Raises:
        RewriteError: the model cannot be written without loss.
        EncodingError: a sparse encoding is malformed.
    """
    return Densify(options).run(model)


def _refusal(
    weight: Weight, encodings: list[SparseEncoding], options: DensifyOptions
) -> tuple[str, str] | None:
    chosen = options.choice.refusal(weight.tensor, weight.readers)
    if chosen is not None:
        return "not-asked", chosen
    if weight.is_metadata:
        return "metadata", "the metadata refer to its buffer"
    if not weight.alike or not all(same_encoding(encodings[0], e) for e in encodings[1:]):
        return "shared-unlike", "tensors that share its buffer read it in different ways"
    size = weight.tensor.dense_nbytes or 0
    if size > max(_PLAUSIBLE_BYTES, _PLAUSIBLE_RATIO * _bytes(weight)):
        raise EncodingError(
            f"shape {shown_shape(weight.tensor.shape)} asks for {size:,} bytes,"
            f" the file stores {_bytes(weight):,} for it",
            place=weight.tensor.place,
        )
    return next(filter(None, map(_densify_refusal, weight.tensors)), None)


def _densify_refusal(tensor: Tensor) -> tuple[str, str] | None:
    """Why the DENSIFY operators that read a tensor cannot go."""
    for use in tensor.subgraph.consumers(tensor):
        if use.operator.name != "DENSIFY":
            continue
        if len(use.operator.outputs) != 1:
            count = len(use.operator.outputs)
            return "malformed", f"the DENSIFY that reads it has {count} outputs"
        if not _reads_alike(tensor, use.operator.outputs[0]):
            return "malformed", "the output of its DENSIFY has another type or shape"
        if use.operator.outputs[0].is_constant:
            # That is what its readers get, whatever the DENSIFY makes.
            return "malformed", "the output of its DENSIFY has data of its own"
        if _is_result(use.operator):
            return "graph-output", "its dense value is an output of the graph"
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


def _bytes(weight: Weight) -> int:
    return max(stored_bytes(tensor) for tensor in weight.tensors)


def _make_dense(
    model: Model,
    weight: Weight,
    encoding: SparseEncoding,
    versions: dict[tuple[int, int], int],
) -> tuple[list[Operator], str | None]:
    """Edits the graph and the buffers; returns the idle DENSIFY, and what else to say."""
    size = weight.tensor.dense_nbytes
    if size is None:
        raise ModelError("its type has no fixed width", place=weight.tensor.place)
    data = Deferred(size, np.dtype("u1"), partial(_bytes_of, encoding))
    idle: list[Operator] = []
    moved = False
    for tensor in weight.tensors:
        for use in tensor.subgraph.consumers(tensor):
            if use.operator.name == "FULLY_CONNECTED" and use.operand == 1:
                moved |= _restore_version(model, use.operator, versions)
        idle += _bypass(tensor)
        tensor.table["sparsity"] = None
    for buffer in weight.buffers:
        buffer.data = data
    return idle, "FULLY_CONNECTED read it without DENSIFY" if moved else None


def _bytes_of(encoding: SparseEncoding) -> NDArray[Any]:
    return decode(encoding).reshape(-1).view(np.uint8)


def _bypass(tensor: Tensor) -> list[Operator]:
    """Lets every reader of a DENSIFY of the tensor read the tensor itself; those that are idle."""
    subgraph = tensor.subgraph
    idle = [use.operator for use in subgraph.consumers(tensor) if use.operator.name == "DENSIFY"]
    for operator in idle:
        for use in subgraph.consumers(operator.outputs[0]):
            subgraph.rewire(use, tensor)
    return idle


def _remove(idle: list[Operator]) -> None:
    """Removes DENSIFY operators that nobody reads, with their outputs, subgraph by subgraph."""
    groups: dict[int, list[Operator]] = {}
    for operator in idle:
        groups.setdefault(operator.subgraph.index, []).append(operator)
    for operators in groups.values():
        operators[0].subgraph.remove(operators, [o.outputs[0] for o in operators])


def _restore_version(
    model: Model, operator: Operator, versions: dict[tuple[int, int], int]
) -> bool:
    # Only version 8 is there for the sparse weight; later ones are for the types.
    if operator.version != SPARSE_VERSION:
        return False
    after = dense_version(operator)
    set_version(model, operator, after)
    key = SPARSE_VERSION, after
    versions[key] = versions.get(key, 0) + 1
    return True
