"""What an inspection says about single weights."""

from __future__ import annotations

from typing import Literal

from tflite_sparse.encoding import tables_nbytes
from tflite_sparse.model.quantization import QuantizationFacts
from tflite_sparse.records import Count, Record, Share
from tflite_sparse.words.numbers import share

__all__ = [
    "BlockFill",
    "EncodingFacts",
    "LevelFacts",
    "ShapeFill",
    "UseRecord",
    "WeightFacts",
]


class UseRecord(Record, frozen=True):
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
        wide: whether it is a convolution wider than 1x1 over a feature map, without groups.
    """

    subgraph: Count
    operator: Count
    name: str
    operand: Count
    output: str
    through: tuple[str, ...]
    pointwise: bool
    macs: Count
    wide: bool = False


class LevelFacts(Record, frozen=True):
    """One level of a sparse encoding.

    Attributes:
        format: how it lists its coordinates.
        dense_size: size of a dense level.
        segments: number of segments of a sparse level.
        segments_type: numpy's name of their type.
        indices: number of indices of a sparse level.
        indices_type: numpy's name of their type.
    """

    format: Literal["dense", "sparse_csr"]
    dense_size: Count
    segments: Count | None = None
    segments_type: str | None = None
    indices: Count | None = None
    indices_type: str | None = None


class EncodingFacts(Record, frozen=True):
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
    values: Count

    @property
    def structure_nbytes(self) -> int:
        """The most bytes that the tables which describe it take in the file."""
        compressed = [level.format != "dense" for level in self.levels]
        return tables_nbytes(compressed, len(self.block_map))


class BlockFill(Record, frozen=True):
    """How full blocks of neighbouring output channels are.

    Attributes:
        channels: output channels in a block.
        blocks: number of blocks that hold at least one value that is not zero.
        fill: share of the values in these blocks that are not zero.
        fits: whether the fill is high enough for the runtime's kernel of that width.
    """

    channels: int
    blocks: Count
    fill: Share
    fits: bool


class ShapeFill(Record, frozen=True):
    """How full blocks of one shape are: what the storage format could keep as blocks.

    Attributes:
        block: size along the first and the last dimension.
        blocks: number of blocks that hold at least one value that is not zero.
        fill: share of the values in these blocks that are not zero.
    """

    block: tuple[int, ...]
    blocks: Count
    fill: Share


class WeightFacts(Record, frozen=True):
    """A weight: a constant that an operator multiplies with, or any other large one.

    Attributes:
        subgraph: index of the subgraph of the tensor.
        tensor: index of the tensor there.
        name: its name.
        type: element type by the schema's name.
        shape: sizes.
        elements: number of values.
        uses: the operators that read it, in the order of execution; several for a shared weight.
        storage: how it is stored.
        encoding: the encoding of a sparse weight.
        quantization: the zero points of a quantized weight.
        zeros: values that are exactly zero; -0.0 is zero as for the runtime, and so is a value at
            the zero point. None where the values cannot be read.
        near_zeros: values that are not zero and under the bound in magnitude; None for integers.
        blocks: fill of blocks of output channels; empty where the operator has no such blocks.
        block_shapes: fill of the block shapes that divide the weight, fullest first; None where
            they were not asked for.
        bytes_now: bytes of the values, and of segments and indices when stored sparse.
        bytes_dense: bytes when stored dense.
        bytes_sparse: bytes in the best sparse encoding, all that comes with it included; None where
            it may not be stored so, or no encoding can be smaller.
        best_encoding: that encoding in short, such as "CSR on dimension 3".
        smaller: whether `sparsify` stores it sparse; of a sparse weight, whether `sparsify
            --reencode` encodes it anew.
        cannot: why `sparsify` leaves it as it is; None where it does not.
        cannot_code: short name of that reason, such as "reader".
    """

    subgraph: Count
    tensor: Count
    name: str
    type: str
    shape: tuple[int, ...]
    elements: Count
    uses: tuple[UseRecord, ...]
    storage: Literal["dense", "sparse"]
    encoding: EncodingFacts | None
    quantization: QuantizationFacts | None
    zeros: Count | None
    near_zeros: Count | None
    blocks: tuple[BlockFill, ...]
    block_shapes: tuple[ShapeFill, ...] | None
    bytes_now: Count
    bytes_dense: Count | None
    bytes_sparse: Count | None
    best_encoding: str | None
    smaller: bool
    cannot: str | None
    cannot_code: str | None = None

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
    def dequantized(self) -> bool:
        """Whether operators compute with what a DEQUANTIZE makes of it."""
        return any("DEQUANTIZE" in use.through for use in self.uses)

    @property
    def pointwise(self) -> bool:
        """Whether a 1x1 convolution uses it."""
        return any(use.pointwise for use in self.uses)

    @property
    def wide(self) -> bool:
        """Whether a convolution wider than 1x1 over a feature map uses it."""
        return any(use.wide for use in self.uses)
