"""Everything about one weight as it is: how it is stored, its zeros, who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from numpy.typing import NDArray

from tflite_sparse.encoding import block_fill
from tflite_sparse.errors import EncodingError, ModelError, shown_shape
from tflite_sparse.inspection.inspection import Problem
from tflite_sparse.inspection.weights.weight_types import (
    BlockFill,
    EncodingFacts,
    LevelFacts,
    ShapeFill,
    UseRecord,
    WeightFacts,
)
from tflite_sparse.model.macs import macs
from tflite_sparse.model.quantization import quantization_facts, zero_points
from tflite_sparse.model.sparse import decoded, encoding_of, stored_bytes
from tflite_sparse.model.weights import is_pointwise, is_wide
from tflite_sparse.model.zero_counts import BLOCK_CHANNELS, Counts, ZeroCounts
from tflite_sparse.words.names import readable
from tflite_sparse.words.numbers import share

if TYPE_CHECKING:
    from tflite_sparse.encoding import Level
    from tflite_sparse.errors import TfliteSparseError
    from tflite_sparse.model import Tensor, Use
    from tflite_sparse.model.weights import Weight

__all__ = ["Examined", "dense_values", "examine", "problem_of"]

# Operators whose weights have the output channels first, as the runtime's blocks ask.
_CHANNELS_FIRST = frozenset({"CONV_2D", "FULLY_CONNECTED"})

# The runtime takes a kernel for blocks of channels from this fill on
# (XNNPACK, src/operators/convolution-nchw.c, create_spmm_path).
_KERNEL_FILL = 0.9

# A file may claim any shape for a sparse tensor; only plausible ones are decoded.
_DECODE_BYTES = 16 * 2**20
_DECODE_RATIO = 512


class Examined(msgspec.Struct, frozen=True):
    """A weight that was looked at.

    Attributes:
        facts: what there is to say of it.
        values: its dense value; None where it cannot be read.
        problem: what is wrong with it.
    """

    facts: WeightFacts
    values: NDArray[Any] | None
    problem: Problem | None


def examine(weight: Weight, zeros: ZeroCounts, *, near: float, shapes: bool = False) -> Examined:
    """Looks at one weight; what sparse storage would make of it is left open.

    Args:
        weight: the weight.
        zeros: counts its zeros.
        near: bound of magnitude for near zeros.
        shapes: whether to count the fill of block shapes too.
    """
    tensor = weight.tensor
    block_shapes: tuple[ShapeFill, ...] | None = None
    counts: Counts | None = None
    encoding: EncodingFacts | None = None
    values: NDArray[Any] | None = None
    problem: Problem | None = None
    try:
        encoding = _encoding(tensor)
        points = zero_points(tensor)
        values = dense_values(tensor)
        if values is not None:
            counts = zeros.of(tensor, values, near=near, zero_points=points)
            if shapes and points is None:
                fills = block_fill(values)
                block_shapes = tuple(ShapeFill(s.block, s.blocks, s.fill) for s in fills)
    except (ModelError, EncodingError) as error:
        problem = problem_of(error)
    facts = WeightFacts(
        subgraph=tensor.subgraph.index,
        tensor=tensor.index,
        name=readable(tensor.name),
        type=tensor.type,
        shape=tensor.shape,
        elements=counts.elements if counts else _elements(tensor),
        uses=tuple(_use(use) for use in weight.uses),
        storage="dense" if tensor.sparsity is None else "sparse",
        encoding=encoding,
        quantization=quantization_facts(tensor),
        zeros=counts.zeros if counts else None,
        near_zeros=counts.near if counts else None,
        blocks=_blocks(weight, counts),
        block_shapes=block_shapes,
        bytes_now=stored_bytes(tensor),
        bytes_dense=tensor.dense_nbytes if counts else None,
        bytes_sparse=None,
        best_encoding=None,
        smaller=False,
        cannot="its values cannot be read",
        cannot_code="malformed",
    )
    return Examined(facts, values, problem)


def problem_of(error: TfliteSparseError) -> Problem:
    """An error about a part of a model as a result."""
    place = msgspec.structs.replace(error.place, file=None)
    return Problem(message=readable(error.message), place=readable(str(place)))


def dense_values(tensor: Tensor) -> NDArray[Any] | None:
    """The dense value of a weight; None where it has none.

    Raises:
        EncodingError: a sparse encoding is malformed.
        ModelError: the buffer does not fit the shape, or the shape asks for far more memory than
            the file stores values for.
    """
    dense = tensor.dense_nbytes
    if (
        tensor.sparsity is not None
        and dense is not None
        and dense > max(_DECODE_BYTES, _DECODE_RATIO * stored_bytes(tensor))
    ):
        raise ModelError(
            f"shape {shown_shape(tensor.shape)} asks for {dense:,} bytes,"
            f" the file stores {stored_bytes(tensor):,} for it",
            place=tensor.place,
        )
    return decoded(tensor)


def _elements(tensor: Tensor) -> int:
    total = 1
    for size in tensor.shape:
        total *= max(size, 0)
    return total


def _use(use: Use) -> UseRecord:
    operator = use.operator
    return UseRecord(
        subgraph=operator.subgraph.index,
        operator=operator.index,
        name=readable(operator.custom_code or operator.name),
        operand=use.operand,
        output=readable(operator.outputs[0].name) if operator.outputs else "",
        through=tuple(unpacking.name for unpacking in use.through),
        pointwise=is_pointwise(operator),
        macs=macs(operator),
        wide=use.operand == 1 and is_wide(operator),
    )


def _blocks(weight: Weight, counts: Counts | None) -> tuple[BlockFill, ...]:
    if counts is None or not any(
        use.operator.name in _CHANNELS_FIRST and use.operand == 1 for use in weight.uses
    ):
        return ()
    fills = []
    for width, blocks, values in zip(
        BLOCK_CHANNELS, counts.blocks, counts.block_values, strict=True
    ):
        fill = share(values, blocks * width)
        fills.append(BlockFill(width, blocks, fill, fits=blocks > 0 and fill >= _KERNEL_FILL))
    return tuple(fills)


def _encoding(tensor: Tensor) -> EncodingFacts | None:
    if tensor.sparsity is None:
        return None
    encoding = encoding_of(tensor)
    rank = len(encoding.shape)
    # The levels of the blocks come last; each is dense and as long as the block.
    blocks = tuple(
        level.dense_size
        for dimension, level in zip(encoding.traversal_order, encoding.levels, strict=True)
        if dimension >= rank
    )
    return EncodingFacts(
        traversal_order=tuple(encoding.traversal_order),
        block_map=tuple(encoding.block_map or ()),
        block_shape=blocks,
        levels=tuple(_level(level) for level in encoding.levels),
        values=int(encoding.values.size),
    )


def _level(level: Level) -> LevelFacts:
    if level.segments is None or level.indices is None:
        return LevelFacts("dense", level.dense_size)
    return LevelFacts(
        "sparse_csr",
        level.dense_size,
        int(level.segments.size),
        str(level.segments.dtype.name),
        int(level.indices.size),
        str(level.indices.dtype.name),
    )
