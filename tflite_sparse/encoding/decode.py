"""From a sparse encoding to the dense tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding.storage import elements
from tflite_sparse.encoding.validate import validate
from tflite_sparse.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.encoding.storage import SparseEncoding

__all__ = ["decode"]

_CHUNK = 1 << 20


def decode(encoding: SparseEncoding, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decodes a tensor; what is not stored is 0.

    The values are placed a million at a time, so that beside the result little memory is used.

    Args:
        encoding: any encoding that the runtime reads, see `validate`.
        out: where to put the result: contiguous, of the encoding's shape and type; a new array
            where it is None.

    Returns:
        The dense tensor.

    Raises:
        EncodingError: the encoding is malformed, or `out` does not fit it.
    """
    validate(encoding)
    if out is None:
        out = np.zeros(encoding.shape, encoding.values.dtype)
    elif out.shape != encoding.shape or out.dtype != encoding.values.dtype:
        raise EncodingError(f"a result of {out.shape} {out.dtype} does not fit the encoding")
    elif not out.flags.c_contiguous:
        raise EncodingError("a result must be contiguous")
    else:
        out.fill(0)
    flat = out.reshape(-1)
    for first, places in _places(encoding):
        flat[places] = encoding.values[first : first + places.size]
    return out


def _strides(encoding: SparseEncoding) -> list[int]:
    """How far one step of each level goes in the dense tensor, in elements."""
    rank = len(encoding.shape)
    stride = [elements(encoding.shape[d + 1 :]) for d in range(rank)]
    blocks = dict(zip(encoding.block_map or (), encoding.block_shape, strict=True))
    of_level = []
    for entry in encoding.traversal_order:
        if entry < rank:
            of_level.append(stride[entry] * blocks.get(entry, 1))
        else:
            of_level.append(stride[(encoding.block_map or ())[entry - rank]])
    return of_level


def _places(encoding: SparseEncoding) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Runs of values: the number of the first, and where each goes in the dense tensor."""
    levels, strides = encoding.levels, _strides(encoding)
    # The leading dense levels form a plain grid; chunks are runs of its positions.
    head = next((i for i, level in enumerate(levels) if level.compressed), len(levels))
    grid = tuple(level.dense_size for level in levels[:head])
    count = elements(grid)
    starts = np.arange(count + 1, dtype=np.int64)
    for level in levels[head:]:
        starts = (
            starts * level.dense_size
            if level.segments is None
            else level.segments[starts].astype(np.int64)
        )
    first = 0
    while first < count:
        last = int(np.searchsorted(starts, starts[first] + _CHUNK, "right")) - 1
        last = min(count, max(last, first + 1))
        yield int(starts[first]), _expand(encoding, strides, grid, first, last)
        first = last


def _expand(
    encoding: SparseEncoding, strides: list[int], grid: tuple[int, ...], first: int, last: int
) -> NDArray[np.int64]:
    """Places of all values below positions first..last of the leading dense levels."""
    places = np.zeros(last - first, np.int64)
    if grid:
        coordinates = np.unravel_index(np.arange(first, last), grid)
        for coordinate, stride in zip(coordinates, strides, strict=False):
            places += coordinate * stride
    for level, stride in zip(encoding.levels[len(grid) :], strides[len(grid) :], strict=True):
        if level.segments is None:
            steps = np.arange(level.dense_size, dtype=np.int64) * stride
            places = (places[:, None] + steps).reshape(-1)
            first, last = first * level.dense_size, last * level.dense_size
        else:
            bounds = level.segments[first : last + 1].astype(np.int64)
            first, last = int(bounds[0]), int(bounds[-1])
            places = np.repeat(places, np.diff(bounds))
            indices = level.indices
            if indices is not None:
                places += indices[first:last].astype(np.int64) * stride
    return places
