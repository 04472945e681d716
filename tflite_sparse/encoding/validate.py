"""Refuses every encoding that the runtime would misread, read beyond, or fill silently.

The runtime's decoder (FormatConverter in kernels/internal/utils/sparsity_format_converter.cc of
LiteRT) walks the levels and trusts what it finds. Its own verifier (core/tools/verifier.cc) is not
run when a model is loaded, and checks less than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding.sparse_encoding import INDEX_TYPES, MAX_LEVELS, elements
from tflite_sparse.errors import EncodingError, shown_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.encoding.sparse_encoding import SparseEncoding

__all__ = ["validate"]

# The runtime counts elements with 32-bit integers (GetFlattenedIndex).
_LARGEST = 2**31 - 1
_PIECE = 1 << 18
_NUMBERS = "biufc"


def validate(encoding: SparseEncoding) -> None:
    """Checks a whole encoding; takes time and memory by what is stored, not by what is claimed.

    Raises:
        EncodingError: what is wrong, at which level, with what was found and wanted.
    """
    _check_values(encoding.values)
    _check_dimensions(encoding)
    sizes = _level_sizes(encoding)
    parents = 1
    for number, (level, size) in enumerate(zip(encoding.levels, sizes, strict=True)):
        if level.segments is None:
            parents *= size
        else:
            _check_csr(level.segments, level.indices, number, parents, size)
            parents = int(level.segments[-1])
    if parents != encoding.values.size:
        raise EncodingError(
            f"the levels describe {parents:,} values, {encoding.values.size:,} are stored"
        )


def _check_values(values: NDArray[Any]) -> None:
    if values.ndim != 1:
        raise EncodingError(f"the values have {values.ndim} dimensions, not one")
    if values.dtype.kind not in _NUMBERS:
        raise EncodingError(f"values of type {values.dtype} are not numbers of a fixed width")


def _check_dimensions(encoding: SparseEncoding) -> None:
    shape, order = encoding.shape, encoding.traversal_order
    rank, blocks = len(shape), encoding.block_map or ()
    # The lengths come first: all later work depends on them.
    if max(rank, len(order), len(blocks), len(encoding.levels)) > MAX_LEVELS:
        raise EncodingError(
            f"{max(rank, len(order), len(blocks), len(encoding.levels)):,} dimensions and block"
            f" dimensions are more than the {MAX_LEVELS} that are read"
        )
    if any(not 0 <= size <= _LARGEST for size in shape) or elements(shape) > _LARGEST:
        raise EncodingError(
            f"shape {shown_shape(shape)} is negative or too large for a sparse tensor"
        )
    if len(order) != rank + len(blocks):
        raise EncodingError(
            f"traversal order has {len(order)} entries, {rank} dimensions and {len(blocks)}"
            " block dimensions need as many"
        )
    if len(encoding.levels) != len(order):
        raise EncodingError(
            f"{len(encoding.levels)} levels are described, the traversal order has {len(order)}"
        )
    if sorted(order) != list(range(len(order))):
        raise EncodingError(f"traversal order {list(order)} is not a permutation")
    if any(entry >= rank for entry in order[:rank]):
        raise EncodingError(
            f"traversal order {list(order)} has a block dimension before the last dimension,"
            " which the runtime misreads"
        )
    if any(not 0 <= dimension < rank for dimension in blocks):
        raise EncodingError(f"block map {list(blocks)} names a dimension that is not there")
    if list(blocks) != sorted(set(blocks)):
        raise EncodingError(
            f"block map {list(blocks)} does not ascend, and the runtime ignores what does not"
        )


def _level_sizes(encoding: SparseEncoding) -> list[int]:
    """Positions of each level, from the shape; checks the blocks and the dense sizes."""
    shape, order = encoding.shape, encoding.traversal_order
    rank, blocks = len(shape), encoding.block_map or ()
    number = {entry: index for index, entry in enumerate(order)}
    size_of = {}
    for k, dimension in enumerate(blocks):
        level = encoding.levels[number[rank + k]]
        if level.compressed:
            raise EncodingError(
                f"level {number[rank + k]} is a block dimension and compressed,"
                " so that the runtime knows no size for it"
            )
        # The runtime looks the size up by the entry of the traversal order, not by its place.
        read = encoding.levels[order[rank + k]]
        if read.compressed or read.dense_size != level.dense_size:
            raise EncodingError(
                f"the block dimensions {list(order[rank:])} are in an order in which the runtime"
                " mixes up their sizes"
            )
        if level.dense_size < 1 or shape[dimension] % level.dense_size:
            raise EncodingError(
                f"blocks of {level.dense_size} do not divide dimension {dimension}"
                f" of size {shape[dimension]}"
            )
        size_of[rank + k] = level.dense_size
    for dimension in range(rank):
        block = size_of[rank + blocks.index(dimension)] if dimension in blocks else 1
        size_of[dimension] = shape[dimension] // block
    sizes = [size_of[entry] for entry in order]
    for index, (level, size) in enumerate(zip(encoding.levels, sizes, strict=True)):
        if not level.compressed and level.dense_size != size:
            raise EncodingError(
                f"level {index} (dimension {order[index]}) has the dense size {level.dense_size},"
                f" the shape {shown_shape(shape)} asks for {size}"
            )
    return sizes


def _check_csr(
    segments: NDArray[Any], indices: NDArray[Any] | None, number: int, parents: int, size: int
) -> None:
    where = f"level {number}"
    if indices is None:
        raise EncodingError(f"{where} has segments and no indices")
    _check_segments(segments, indices, where, parents)
    if indices.size:
        lowest, highest = int(indices.min()), int(indices.max())
        if lowest < 0 or highest >= size:
            raise EncodingError(
                f"{where}: index {lowest if lowest < 0 else highest} is outside the"
                f" {size} positions"
            )
        _check_ascending(segments, indices, where)


def _check_segments(
    segments: NDArray[Any], indices: NDArray[Any], where: str, parents: int
) -> None:
    for name, array in (("segments", segments), ("indices", indices)):
        if array.dtype not in INDEX_TYPES or array.ndim != 1:
            raise EncodingError(f"{where}: {name} of type {array.dtype} are not of the format")
    if segments.size != parents + 1:
        raise EncodingError(
            f"{where} has {segments.size:,} segments, its {parents:,} parents need {parents + 1:,}"
        )
    if segments[0] != 0:
        raise EncodingError(f"{where}: the first segment starts at {segments[0]}, not at 0")
    if segments.size > 1:
        falling = np.flatnonzero(segments[1:] < segments[:-1])
        if falling.size:
            at = int(falling[0])
            raise EncodingError(
                f"{where}: segment {at + 1} starts at {segments[at + 1]}, before segment {at}"
                f" at {segments[at]}"
            )
    if segments[-1] != indices.size:
        raise EncodingError(
            f"{where}: the segments end at {segments[-1]}, there are {indices.size} indices"
        )


def _check_ascending(segments: NDArray[Any], indices: NDArray[Any], where: str) -> None:
    rising = indices[1:] > indices[:-1]
    if rising.all():
        return
    # An index may fall only where a new segment starts.
    for first in range(0, segments.size, _PIECE):
        starts = segments[first : first + _PIECE].astype(np.intp)
        rising[starts[(starts > 0) & (starts < indices.size)] - 1] = True
    if not rising.all():
        at = int(np.argmin(rising)) + 1
        raise EncodingError(
            f"{where}: index {indices[at]} at {at} follows {indices[at - 1]},"
            " indices of a segment must ascend"
        )
