"""1xx: the sparse encoding, the data that it describes, and what else the file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import index_type, nonzero_mask
from tflite_sparse.errors import EncodingError, ModelError
from tflite_sparse.lint.finding import Hit, Severity, Spot
from tflite_sparse.lint.fixers.storage import store_dense
from tflite_sparse.lint.rule import rule
from tflite_sparse.model.densify_limit import DENSIFY_TYPES
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.model.uses import trace_constant
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.encoding import SparseEncoding
    from tflite_sparse.lint.subject import Subject
    from tflite_sparse.model import Tensor

_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64")
_WEIGHED = frozenset(
    {
        "BATCH_MATMUL", "CONV_2D", "CONV_3D", "CONV_3D_TRANSPOSE", "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED", "LSTM", "RNN", "SVDF", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_RNN",
    }
)  # fmt: skip


def _tensors(subject: Subject) -> Iterator[Tensor]:
    for subgraph in subject.model.subgraphs:
        yield from subgraph.tensors


def _encodings(subject: Subject) -> Iterator[tuple[Tensor, SparseEncoding]]:
    """The sparse tensors that are well formed; rule TFS101 tells of the others."""
    for tensor in _tensors(subject):
        if tensor.sparsity is not None:
            try:
                encoding = encoding_of(tensor)
            except (EncodingError, ModelError):
                continue
            yield tensor, encoding


@rule(
    "TFS101",
    "malformed-encoding",
    Severity.ERROR,
    what="A tensor's sparse encoding contradicts itself: segments that fall or do not match the"
    " indices, indices that are out of range or do not ascend, blocks that do not divide the"
    " shape, values that are missing or left over.",
    why="The runtime does not check: it reads beyond the data or fills the tensor with whatever"
    " comes of it, without a message.",
    fix="Export the model anew, or densify the original and sparsify it again.",
)
def malformed_encoding(subject: Subject) -> Iterator[Hit]:
    """Encodings that the validator refuses."""
    for tensor in _tensors(subject):
        if tensor.sparsity is None:
            continue
        try:
            encoding_of(tensor)
        except (EncodingError, ModelError) as error:
            yield Hit(error.message, Spot.of_tensor(tensor))


@rule(
    "TFS102",
    "dense-size-mismatch",
    Severity.ERROR,
    what="The buffer of a dense constant is not as large as its shape and type ask for.",
    why="The runtime refuses the model, or reads what lies behind the buffer.",
    fix="Export the model anew; a tool that changed a shape or a buffer has forgotten the other.",
)
def dense_size_mismatch(subject: Subject) -> Iterator[Hit]:
    """Constants whose buffers do not fit."""
    for tensor in _tensors(subject):
        if tensor.sparsity is not None or not tensor.is_constant:
            continue
        try:
            tensor.check_size()
        except ModelError as error:
            yield Hit(error.message, Spot.of_tensor(tensor))


@rule(
    "TFS103",
    "explicit-zeros",
    Severity.WARNING,
    what="A sparse encoding that has an index for each value stores values that are zero.",
    why="Each costs the bytes of a value and of an index, and tells the reader nothing.",
    fix="Encode the weight anew.",
    command="tflite-sparse sparsify --reencode MODEL -o OUT",
)
def explicit_zeros(subject: Subject) -> Iterator[Hit]:
    """Zeros among the stored values."""
    for tensor, encoding in _encodings(subject):
        if encoding.block_map or not encoding.levels[-1].compressed:
            # Blocks, and rows below the innermost indices, are stored as a whole.
            continue
        zeros = encoding.values.size - int(nonzero_mask(encoding.values).sum())
        if zeros:
            yield Hit(
                f"{zeros:,} of {encoding.values.size:,} stored values are zero",
                Spot.of_tensor(tensor),
                {"zeros": zeros, "values": int(encoding.values.size)},
            )


@rule(
    "TFS104",
    "wide-index-type",
    Severity.NOTE,
    what="Segments or indices are stored in a wider type than their largest value needs.",
    why="Every index takes two or four bytes where one or two would do.",
    fix="Encode the weight anew.",
    command="tflite-sparse sparsify --reencode MODEL -o OUT",
)
def wide_index_type(subject: Subject) -> Iterator[Hit]:
    """Index vectors that could be narrower."""
    for tensor, encoding in _encodings(subject):
        wasted = 0
        for level in encoding.levels:
            for array in (level.segments, level.indices):
                if array is not None and array.size:
                    narrow = index_type(int(array.max())).itemsize
                    wasted += (array.dtype.itemsize - narrow) * array.size
        if wasted:
            yield Hit(
                f"narrower index types would save {wasted:,} bytes",
                Spot.of_tensor(tensor),
                {"bytes": wasted},
            )


@rule(
    "TFS105",
    "densify-input",
    Severity.ERROR,
    what="A DENSIFY reads something that is no sparse constant of fp32, fp16 or int8.",
    why="The kernel of DENSIFY refuses it, so that the model does not load.",
    fix="Store the tensor sparse, or take the DENSIFY out.",
)
def densify_input(subject: Subject) -> Iterator[Hit]:
    """What DENSIFY cannot read."""
    for operator in subject.model.operators():
        if operator.name != "DENSIFY" or not operator.inputs or operator.inputs[0] is None:
            continue
        tensor = operator.inputs[0]
        operand = None
        if not tensor.is_constant:
            operand = "a value that is computed"
        elif tensor.sparsity is None:
            operand = "a constant that is stored dense"
        elif tensor.type not in DENSIFY_TYPES:
            operand = f"a sparse constant of type {tensor.type}"
        if operand:
            yield Hit(
                f"DENSIFY reads {operand}; it takes sparse constants of fp32, fp16 and int8",
                Spot.of_operator(operator, tensor),
            )


@rule(
    "TFS106",
    "unknown-fields",
    Severity.WARNING,
    what="The file has fields or option tables that this version of the tool does not know.",
    why="It can be looked at but not rewritten: what is unknown would be lost.",
    fix="Upgrade tflite-sparse.",
)
def unknown_fields(subject: Subject) -> Iterator[Hit]:
    """Files of a newer schema."""
    if subject.model.read_only is not None:
        yield Hit(subject.model.read_only)


@rule(
    "TFS107",
    "sparse-operand",
    Severity.ERROR,
    what="An operator other than DENSIFY and FULLY_CONNECTED reads a tensor that is stored sparse.",
    why="It takes the packed values for the dense tensor and reads beyond their end.",
    fix="Put a DENSIFY in between, or store the tensor dense.",
    command="tflite-sparse densify MODEL -o OUT",
    fixers=(store_dense,),
)
def sparse_operand(subject: Subject) -> Iterator[Hit]:
    """Sparse tensors in the wrong hands."""
    for operator in subject.model.operators():
        if operator.name in {"DENSIFY", "FULLY_CONNECTED"}:
            continue
        for tensor in operator.inputs:
            if tensor is not None and tensor.sparsity is not None:
                yield Hit(
                    f"{operator.label} reads the sparse tensor as though it were dense",
                    Spot.of_operator(operator, tensor),
                )


@rule(
    "TFS108",
    "not-finite",
    Severity.WARNING,
    what="A weight or bias has values that are NaN or infinite.",
    why="Every output that depends on them is NaN or infinite; a training that diverged leaves such"
    " values, and so does a weight that fp16 has no room for.",
    fix="Train or convert the model anew.",
)
def not_finite(subject: Subject) -> Iterator[Hit]:
    """Operands of convolutions and matrix products that are no numbers."""
    told: set[object] = set()
    for operator in subject.model.operators():
        if operator.name not in _WEIGHED:
            continue
        for operand in range(len(operator.inputs)):
            use = trace_constant(operator, operand)
            if use is None or use.constant.type not in _FLOATS:
                continue
            tensor = use.constant
            if tensor.buffer.content in told:
                continue
            told.add(tensor.buffer.content)
            values = _stored(tensor)
            count = int(values.size - np.isfinite(values).sum())
            subject.model.passed(values.nbytes)
            if count:
                yield Hit(
                    f"{count:,} of {values.size:,} stored values are NaN or infinite",
                    Spot.of_operator(operator, tensor),
                    {"values": count},
                )


def _stored(tensor: Tensor) -> NDArray[Any]:
    try:
        return tensor.stored_values
    except ModelError:
        # Rule TFS102 tells of it.
        return np.empty(0, np.float32)


@rule(
    "TFS109",
    "byte-code-lost",
    Severity.ERROR,
    what="An operator DISPATCH_OP, or metadata, says where in the file byte code for an NPU lies,"
    " and none lies there.",
    why="A tool that does not know of it has moved the byte code: the NPU would be given whatever"
    " stands at that place now, or the model does not load.",
    fix="Compile the model for its NPU again.",
)
def byte_code_lost(subject: Subject) -> Iterator[Hit]:
    """Places of byte code inside the flatbuffer or past the end of the file."""
    for code in subject.model.file.lost_byte_code:
        yield Hit(
            f"{readable(code.who)} says that byte code lies at {code.start:,} to"
            f" {code.start + code.size:,}; the file has {subject.model.size:,} bytes",
            data={"start": code.start, "bytes": code.size},
        )
