"""What an inspection says, as plain data that any report can render."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

__all__ = [
    "AppendedFacts",
    "BlockFill",
    "ByteShares",
    "EncodingFacts",
    "FileFacts",
    "Inspection",
    "LevelFacts",
    "MetadataFacts",
    "OperatorCount",
    "OperatorFacts",
    "Problem",
    "QuantizationFacts",
    "SignatureFacts",
    "SubgraphFacts",
    "TensorFacts",
    "Totals",
    "Use",
    "WeightFacts",
    "share",
]

_DIGITS = "%.6g"


def share(part: float, whole: float) -> float:
    """The part of a whole as a number from 0 to 1; 0 of an empty whole."""
    return part / whole if whole else 0.0


class _Facts:
    """A result that turns itself into what JSON can say."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, nested results as dicts, tuples as lists."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }


def _plain(value: Any) -> Any:
    if isinstance(value, _Facts):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(_DIGITS % value)
    return value


@dataclass(frozen=True, slots=True)
class Problem(_Facts):
    """Something in a model that is wrong, while the rest of it can still be read.

    Attributes:
        message: what is wrong.
        place: where, in words.
    """

    message: str
    place: str


@dataclass(frozen=True, slots=True)
class TensorFacts(_Facts):
    """An input or output of a subgraph or signature.

    Attributes:
        name: the tensor's name, or the name that a signature gives it.
        type: element type by the schema's name.
        shape: sizes, -1 for a dynamic one.
    """

    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SubgraphFacts(_Facts):
    """A subgraph.

    Attributes:
        index: its position; 0 is the main one.
        name: its name, "" where it has none.
        operators: number of operators.
        tensors: number of tensors.
        inputs: what the caller sets.
        outputs: what the caller gets.
    """

    index: int
    name: str
    operators: int
    tensors: int
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


@dataclass(frozen=True, slots=True)
class SignatureFacts(_Facts):
    """A named entry point.

    Attributes:
        key: its name.
        subgraph: the subgraph that it runs.
        inputs: its inputs by the signature's names.
        outputs: its outputs by the signature's names.
    """

    key: str
    subgraph: int
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]


@dataclass(frozen=True, slots=True)
class OperatorCount(_Facts):
    """How often a kind of operator occurs.

    Attributes:
        name: name by the schema; of a custom operator its own name.
        custom: whether it is a custom operator.
        count: number of operators.
        macs: multiply-accumulate operations of all of them.
    """

    name: str
    custom: bool
    count: int
    macs: int


@dataclass(frozen=True, slots=True)
class OperatorFacts(_Facts):
    """An operator that multiplies.

    Attributes:
        subgraph: index of its subgraph.
        index: its position in the subgraph.
        name: name by the schema.
        output: name of its first output.
        macs: multiply-accumulate operations of one run.
        pointwise: whether it is a 1x1 convolution.
    """

    subgraph: int
    index: int
    name: str
    output: str
    macs: int
    pointwise: bool


@dataclass(frozen=True, slots=True)
class MetadataFacts(_Facts):
    """A named blob.

    Attributes:
        name: its name, such as "TFLITE_METADATA".
        bytes: its size.
    """

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class AppendedFacts(_Facts):
    """Bytes after the flatbuffer.

    Attributes:
        offset: where they start.
        bytes: how many there are.
        files: names of the files in them when they are a zip archive.
    """

    offset: int
    bytes: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByteShares(_Facts):
    """Where the bytes of the file go; the parts but `external` add up to its size.

    Attributes:
        weights: values, segments and indices of the weights, shared ones once.
        constants: data of all other constants.
        metadata: the named blobs.
        appended: bytes after the flatbuffer that belong to no table.
        structure: everything else: tables, names, padding.
        external: how many of the bytes of weights and constants lie outside the flatbuffer.
    """

    weights: int
    constants: int
    metadata: int
    appended: int
    structure: int
    external: int


@dataclass(frozen=True, slots=True)
class FileFacts(_Facts):
    """What the file says about itself.

    Attributes:
        schema_version: version of the schema.
        description: free text.
        read_only: why the tool cannot rewrite the file, None where it can.
        subgraphs: the subgraphs.
        signatures: the named entry points.
        operators: kinds of operators, the most frequent first.
        metadata: the named blobs.
        appended: what lies after the flatbuffer.
        bytes: where the bytes go.
    """

    schema_version: int
    description: str
    read_only: str | None
    subgraphs: tuple[SubgraphFacts, ...]
    signatures: tuple[SignatureFacts, ...]
    operators: tuple[OperatorCount, ...]
    metadata: tuple[MetadataFacts, ...]
    appended: tuple[AppendedFacts, ...]
    bytes: ByteShares


@dataclass(frozen=True, slots=True)
class Use(_Facts):
    """An operator that reads a weight.

    Attributes:
        subgraph: index of the operator's subgraph.
        operator: its index there.
        name: its name by the schema; of a custom operator its own name.
        operand: position of the weight among its inputs.
        output: name of its first output.
        through: what stands between the weight and the operator, such as ("DENSIFY",).
        pointwise: whether it is a 1x1 convolution.
        macs: multiply-accumulate operations of the operator.
    """

    subgraph: int
    operator: int
    name: str
    operand: int
    output: str
    through: tuple[str, ...]
    pointwise: bool
    macs: int


@dataclass(frozen=True, slots=True)
class LevelFacts(_Facts):
    """One level of a sparse encoding.

    Attributes:
        format: "dense" or "sparse_csr".
        dense_size: size of a dense level.
        segments: number of segments of a sparse level.
        segments_type: numpy's name of their type.
        indices: number of indices of a sparse level.
        indices_type: numpy's name of their type.
    """

    format: str
    dense_size: int
    segments: int | None = None
    segments_type: str | None = None
    indices: int | None = None
    indices_type: str | None = None


@dataclass(frozen=True, slots=True)
class EncodingFacts(_Facts):
    """How a sparse weight is or could be stored.

    Attributes:
        traversal_order: order of the dimensions, then of the block dimensions.
        block_map: the dimension that each block dimension splits.
        block_shape: size of a block along each block dimension.
        levels: the levels in the order of traversal.
        values: number of stored values.
    """

    traversal_order: tuple[int, ...]
    block_map: tuple[int, ...]
    block_shape: tuple[int, ...]
    levels: tuple[LevelFacts, ...]
    values: int


@dataclass(frozen=True, slots=True)
class QuantizationFacts(_Facts):
    """The quantization of a weight.

    Attributes:
        axis: the dimension that has a scale and zero point for each index, None for the whole.
        zero_points: the zero point, or one for each channel where they differ.
    """

    axis: int | None
    zero_points: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BlockFill(_Facts):
    """How full blocks of neighbouring output channels are.

    Attributes:
        channels: output channels in a block.
        blocks: number of blocks that hold at least one value that is not zero.
        fill: share of the values in these blocks that are not zero.
        fits: whether the fill is high enough for the runtime's kernel of that width.
    """

    channels: int
    blocks: int
    fill: float
    fits: bool


@dataclass(frozen=True, slots=True)
class WeightFacts(_Facts):
    """A weight: a constant that an operator multiplies with, or any other large one.

    Attributes:
        subgraph: index of the subgraph of the tensor.
        tensor: index of the tensor there.
        name: its name.
        type: element type by the schema's name.
        shape: sizes.
        elements: number of values.
        uses: the operators that read it, in the order of execution; several for a shared weight.
        storage: "dense" or "sparse".
        encoding: the encoding of a sparse weight.
        quantization: the zero points of a quantized weight.
        zeros: values that are exactly zero; -0.0 is zero as for the runtime, and so is a value at
            the zero point. None where the values cannot be read.
        near_zeros: values that are not zero and under the bound in magnitude; None for integers.
        blocks: fill of blocks of output channels; empty where the operator has no such blocks.
        bytes_now: bytes of the values, and of segments and indices when stored sparse.
        bytes_dense: bytes when stored dense.
        bytes_sparse: bytes in the best sparse encoding; None where it cannot be encoded.
        best_encoding: that encoding in short, such as "csr" or "csr 1x4".
        smaller: whether the best sparse encoding is smaller than what is stored now.
        cannot: why it cannot be stored sparse.
    """

    subgraph: int
    tensor: int
    name: str
    type: str
    shape: tuple[int, ...]
    elements: int
    uses: tuple[Use, ...]
    storage: str
    encoding: EncodingFacts | None
    quantization: QuantizationFacts | None
    zeros: int | None
    near_zeros: int | None
    blocks: tuple[BlockFill, ...]
    bytes_now: int
    bytes_dense: int | None
    bytes_sparse: int | None
    best_encoding: str | None
    smaller: bool
    cannot: str | None

    @property
    def zero_share(self) -> float:
        """Share of the values that are zero, 0 where that is not known."""
        return share(self.zeros or 0, self.elements)

    @property
    def near_share(self) -> float:
        """Share of the values that are near zero but not zero."""
        return share(self.near_zeros or 0, self.elements)

    @property
    def saving(self) -> int:
        """Bytes that the best sparse encoding saves, 0 where it saves none."""
        return self.bytes_now - (self.bytes_sparse or 0) if self.smaller else 0

    @property
    def pointwise(self) -> bool:
        """Whether a 1x1 convolution uses it."""
        return any(use.pointwise for use in self.uses)


@dataclass(frozen=True, slots=True)
class Totals(_Facts):
    """Sums over the model.

    Attributes:
        weights: values of all weights.
        zeros: those that are zero.
        near_zeros: those that are near zero but not zero.
        pointwise_weights: values of the weights of 1x1 convolutions.
        pointwise_zeros: those that are zero.
        macs: multiply-accumulate operations of one run of every operator.
        pointwise_macs: those of 1x1 convolutions.
        bytes_now: size of the file.
        bytes_sparse: size if every weight were stored sparse that is smaller so: a prediction.
        gzip_now: size of the file after gzip (zlib, level 6); None where it was not computed.
        gzip_sparse: the same of the file with those weights stored sparse.
    """

    weights: int
    zeros: int
    near_zeros: int
    pointwise_weights: int
    pointwise_zeros: int
    macs: int
    pointwise_macs: int
    bytes_now: int
    bytes_sparse: int
    gzip_now: int | None
    gzip_sparse: int | None


@dataclass(frozen=True, slots=True)
class Inspection(_Facts):
    """Everything that the tool knows about a model.

    Attributes:
        path: the file as the user named it, None for a model in memory.
        size: bytes of the file.
        sha256: digest of the file, None where it was not asked for.
        near: the bound of magnitude for near zeros.
        file: what the file says about itself.
        operators: the operators that multiply, in the order of the file.
        weights: the weights, in the order of the file.
        totals: sums over the model.
        problems: what is wrong in the model.
    """

    path: str | None
    size: int
    sha256: str | None
    near: float
    file: FileFacts
    operators: tuple[OperatorFacts, ...]
    weights: tuple[WeightFacts, ...]
    totals: Totals
    problems: tuple[Problem, ...]
