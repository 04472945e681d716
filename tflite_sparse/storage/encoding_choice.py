"""How a weight is best stored, and vectors that are encoded when they are written."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tflite_sparse.encoding import (
    AUTO_BLOCKS,
    EncodingChoice,
    Layout,
    Level,
    Occupancy,
    SparseEncoding,
    cost,
    encode,
    google_layout,
    search,
)
from tflite_sparse.encoding.sparse_encoding import elements
from tflite_sparse.flatbuffer.payload import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tflite_sparse.encoding import Cost
    from tflite_sparse.model import Tensor
    from tflite_sparse.storage.options import SparsifyOptions

__all__ = [
    "DENSIFY_CODE_NBYTES",
    "best_storage",
    "deferred_encoding",
    "densify_nbytes",
    "direct_storage",
    "same_encoding",
    "unpacked_nbytes",
]

DENSIFY_CODE_NBYTES = 192
"""The most bytes that the first sparse tensor of a model adds once: operator code and vtables."""

_OPERATOR_NBYTES = 56
_TENSOR_NBYTES = 56
_QUANTIZATION_NBYTES = 48
_PAIR = 2
_LARGE = 8 * 2**20


def densify_nbytes(tensor: Tensor) -> int:
    """The most bytes that a DENSIFY and its output tensor take in the file.

    Counted from the FlatBuffers layout: tables, their places in vectors, short vectors, padding.
    Shape and quantization vectors are shared with the constant's.
    """
    return unpacked_nbytes(tensor.name, quantized=tensor.quantization is not None)


def unpacked_nbytes(name: str, *, quantized: bool = False) -> int:
    """The most bytes that an operator that unpacks a constant, and its output, take in the file.

    Args:
        name: of the constant.
        quantized: whether it has a table of quantization.
    """
    size = _OPERATOR_NBYTES + _TENSOR_NBYTES + len(name.encode("utf-8", "replace")) + 20
    return size + (_QUANTIZATION_NBYTES if quantized else 0)


def best_storage(counts: Occupancy, options: SparsifyOptions) -> EncodingChoice | None:
    """The encoding that the options ask for, whether or not it is smaller than the dense weight.

    Args:
        counts: counts over the dense weight.
        options: layout and block.

    Returns:
        The layout and its cost; None where a block does not divide the weight, or where no encoding
        can be smaller.
    """
    array = counts.array
    if options.block:
        return search(counts, blocks=(options.block,), only_blocks=True)
    if counts.values * array.dtype.itemsize >= array.nbytes:
        return None
    if options.layout == "google":
        layout = google_layout(array.ndim)
        return EncodingChoice(layout, cost(counts, layout))
    return search(counts, blocks=AUTO_BLOCKS if options.block is None else ())


def direct_storage(counts: Occupancy, blocks: tuple[int, ...]) -> EncodingChoice | None:
    """The smallest of the encodings that a sparse FULLY_CONNECTED kernel reads.

    Args:
        counts: counts over the dense weight, a matrix.
        blocks: lengths of blocks along the rows, 1 for single values.
    """
    width = counts.array.shape[1]
    layouts = [google_layout(_PAIR, (1, b) if b > 1 else ()) for b in blocks if not width % b]
    choices = [EncodingChoice(layout, cost(counts, layout)) for layout in layouts]
    return min(choices, key=lambda choice: choice.cost.total, default=None)


def deferred_encoding(
    shape: tuple[int, ...],
    layout: Layout,
    sizes: Cost,
    source: Callable[[], NDArray[Any]],
    dtype: np.dtype[Any],
) -> SparseEncoding:
    """An encoding whose arrays are made when they are written, all three by one computation.

    Args:
        shape: shape of the dense weight.
        layout: the layout.
        sizes: what it costs, which says how long the arrays will be.
        source: gives the dense weight.
        dtype: its type.
    """
    whole = elements(shape) * dtype.itemsize
    # Memory is to hold no more than about one dense weight.
    ahead = whole >= _LARGE and 2 * sizes.total <= whole
    stored = sizes.levels[0].indices if len(sizes.levels) == 1 else None
    work = _Work(lambda: encode(source(), layout, stored), ahead=ahead)
    levels = []
    compressed = iter(sizes.levels)
    for number, (size, is_csr) in enumerate(
        zip(layout.level_sizes(shape), layout.compressed, strict=True)
    ):
        if not is_csr:
            levels.append(Level(dense_size=size))
            continue
        level = next(compressed)
        segments = work.vector(level.segments, level.segment_type, partial(_segments, number))
        indices = work.vector(level.indices, level.index_type, partial(_indices, number))
        levels.append(Level(segments=segments, indices=indices))  # type: ignore[arg-type]
    raw = np.dtype("u1")
    values = work.vector(sizes.values * dtype.itemsize, raw, lambda e: e.values.view(raw))
    return SparseEncoding(
        shape,
        layout.traversal_order,
        layout.block_map or None,
        tuple(levels),
        values,  # type: ignore[arg-type]
    )


def same_encoding(first: SparseEncoding, second: SparseEncoding) -> bool:
    """Whether two encodings of the same values say the same."""
    if (first.shape, first.traversal_order, first.block_map) != (
        second.shape,
        second.traversal_order,
        second.block_map,
    ):
        return False
    return all(
        (
            b.compressed
            and np.array_equal(_numbers(a.segments), _numbers(b.segments))
            and np.array_equal(_numbers(a.indices), _numbers(b.indices))
        )
        if a.compressed
        else not b.compressed and a.dense_size == b.dense_size
        for a, b in zip(first.levels, second.levels, strict=True)
    )


def _numbers(array: NDArray[Any] | None) -> NDArray[Any]:
    return np.empty(0) if array is None else array


def _segments(number: int, encoding: SparseEncoding) -> NDArray[Any]:
    return encoding.levels[number].segments  # type: ignore[return-value]


def _indices(number: int, encoding: SparseEncoding) -> NDArray[Any]:
    return encoding.levels[number].indices  # type: ignore[return-value]


class _Work:
    """One encoding for several vectors: made with the first, dropped with the last.

    Where the file is so large that values are written apart from indices, the next weight drops it
    too: memory holds one encoding at a time.
    """

    _latest: ClassVar[_Work | None] = None

    def __init__(self, make: Callable[[], SparseEncoding], *, ahead: bool) -> None:
        self._make = make
        self._ahead = ahead
        self._parts = 0
        self._taken: set[int] = set()
        self._encoding: SparseEncoding | None = None

    def vector(
        self, size: int, dtype: np.dtype[Any], part: Callable[[SparseEncoding], NDArray[Any]]
    ) -> Deferred:
        number = self._parts
        self._parts += 1
        # The first of them makes the encoding.
        ahead = self._ahead and not number
        return Deferred(size, dtype, partial(self._take, number, part), group=self, ahead=ahead)

    def _take(self, number: int, part: Callable[[SparseEncoding], NDArray[Any]]) -> NDArray[Any]:
        if self._encoding is None or number in self._taken:
            if _Work._latest is not None:
                _Work._latest.drop()
            self._encoding = self._make()
            self._taken.clear()
            _Work._latest = self
        vector = part(self._encoding)
        self._taken.add(number)
        if len(self._taken) == self._parts:
            self.drop()
        return vector

    def drop(self) -> None:
        """Lets go of the encoding."""
        self._encoding = None
        self._taken.clear()
        _Work._latest = None
