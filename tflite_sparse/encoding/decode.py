"""From a sparse encoding to the dense tensor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding.occupancy import nonzero_mask
from tflite_sparse.encoding.sparse_encoding import Layout, elements
from tflite_sparse.encoding.validate import validate
from tflite_sparse.errors import EncodingError, shown_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.encoding.sparse_encoding import Level, SparseEncoding

__all__ = ["agrees", "decode"]

_CHUNK = 1 << 18
_WIDE = 64


def decode(encoding: SparseEncoding, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decodes a tensor; what is not stored is 0.

    The values are placed some at a time, so that beside the result little memory is used.

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
    values = encoding.values
    if out is None:
        out = _zeros(encoding.shape, values.dtype)
    elif out.shape != encoding.shape or out.dtype != values.dtype:
        raise EncodingError(f"a result of {out.shape} {out.dtype} does not fit the encoding")
    elif not out.flags.c_contiguous:
        raise EncodingError("a result must be contiguous")
    else:
        out.fill(0)
    if not values.size:
        return out
    head = next((n for n, level in enumerate(encoding.levels) if level.compressed), None)
    if head is None:
        view = _blocked(encoding, out)
        view[...] = values.reshape(view.shape)
        return out
    inner = [level.dense_size for level in encoding.levels[head + 1 :]]
    if not any(level.compressed for level in encoding.levels[head + 1 :]) and (
        math.prod(inner) >= _WIDE
    ):
        _place_slices(encoding, head, _blocked(encoding, out))
        return out
    flat = out.reshape(-1)
    for first, places in _places(encoding, head):
        flat[places] = values[first : first + places.size]
    return out


def agrees(encoding: SparseEncoding, dense: NDArray[Any]) -> bool:
    """Whether an encoding holds exactly the values of a dense tensor, in time and memory of a look.

    Every stored value must stand in its place, bit for bit but that -0.0 is 0.0, and the dense
    tensor must have no other value that is not zero.

    Args:
        encoding: any encoding that the runtime reads, see `validate`.
        dense: the dense tensor.

    Raises:
        EncodingError: the encoding is malformed.
    """
    validate(encoding)
    values = encoding.values
    if dense.shape != encoding.shape or dense.dtype != values.dtype:
        return False
    head = next((n for n, level in enumerate(encoding.levels) if level.compressed), None)
    if head is None or not dense.flags.c_contiguous:
        return _same(decode(encoding).reshape(-1), np.ascontiguousarray(dense).reshape(-1))
    flat = dense.reshape(-1)
    filled = 0
    for start in range(0, flat.size, _CHUNK):
        filled += int(np.count_nonzero(nonzero_mask(flat[start : start + _CHUNK])))
    if filled != int(np.count_nonzero(nonzero_mask(values))):
        return False
    if not values.size:
        return True
    return all(
        _same(flat[places], values[first : first + places.size])
        for first, places in _places(encoding, head)
    )


def _same(first: NDArray[Any], second: NDArray[Any]) -> bool:
    bits = np.dtype(f"u{first.dtype.itemsize}")
    if np.array_equal(first.view(bits), second.view(bits)):
        return True
    unlike = first.view(bits) != second.view(bits)
    return not nonzero_mask(first[unlike]).any() and not nonzero_mask(second[unlike]).any()


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        return np.zeros(shape, dtype)
    except MemoryError:
        raise EncodingError(
            f"the tensor {shown_shape(shape)} takes {elements(shape) * dtype.itemsize:,} bytes,"
            " more memory than there is"
        ) from None


def _blocked(encoding: SparseEncoding, out: NDArray[Any]) -> NDArray[Any]:
    """The result with one axis a level."""
    layout = Layout(
        encoding.traversal_order,
        tuple(level.compressed for level in encoding.levels),
        encoding.block_map or (),
        encoding.block_shape,
    )
    return layout.blocked_view(out)


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


def _places(encoding: SparseEncoding, head: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Runs of values: the number of the first, and where each goes in the dense tensor.

    Args:
        encoding: the encoding.
        head: the first compressed level; its entries are placed some at a time.
    """
    strides, below = _strides(encoding), encoding.levels[head + 1 :]
    count = encoding.levels[head].csr()[1].size
    if any(level.compressed for level in below):
        # The number of the first value below each entry.
        starts = np.arange(count + 1, dtype=np.int64)
        for level in below:
            starts = (
                starts * level.dense_size
                if level.segments is None
                else level.segments[starts].astype(np.int64)
            )
        first = 0
        while first < count:
            last = int(np.searchsorted(starts, starts[first] + _CHUNK, "right")) - 1
            last = min(count, max(last, first + 1))
            yield int(starts[first]), _expand(encoding, strides, head, first, last)
            first = last
        return
    inner = math.prod(level.dense_size for level in below)
    for first, last in _pieces(encoding.levels[head], max(1, _CHUNK // inner)):
        yield first * inner, _expand(encoding, strides, head, first, last)


def _pieces(level: Level, step: int) -> Iterator[tuple[int, int]]:
    """Runs of at most `step` entries of a level, of not many more parents."""
    segments, indices = level.csr()
    first = 0
    while first < indices.size:
        last = min(indices.size, first + step)
        row = int(np.searchsorted(segments, segments.dtype.type(first), "right"))
        # Parents cost memory too; a run ends early where few of them have entries.
        end = int(segments[min(segments.size - 1, row + _CHUNK)])
        last = min(last, end) if end > first else last
        yield first, last
        first = last


def _rows(level: Level, first: int, last: int) -> tuple[int, NDArray[np.int64]]:
    """The first parent of entries first..last of a level, and how many of them each parent has."""
    segments, _ = level.csr()
    low = int(np.searchsorted(segments, segments.dtype.type(first), "right")) - 1
    high = int(np.searchsorted(segments, segments.dtype.type(last), "left"))
    bounds = segments[low : high + 1].astype(np.int64)
    bounds[0], bounds[-1] = first, last
    return low, np.diff(bounds)


def _expand(
    encoding: SparseEncoding, strides: list[int], head: int, first: int, last: int
) -> NDArray[np.int64]:
    """Places of all values below entries first..last of the first compressed level."""
    levels = encoding.levels
    row, counts = _rows(levels[head], first, last)
    places = np.zeros(counts.size, np.int64)
    grid = tuple(level.dense_size for level in levels[:head])
    if grid:
        # The dense levels above form a plain grid.
        coordinates = np.unravel_index(np.arange(row, row + counts.size), grid)
        for coordinate, stride in zip(coordinates, strides, strict=False):
            places += coordinate * stride
    places = np.repeat(places, counts)
    places += _steps(levels[head], first, last, strides[head])
    for level, stride in zip(levels[head + 1 :], strides[head + 1 :], strict=True):
        if level.segments is None:
            steps = np.arange(level.dense_size, dtype=np.int64) * stride
            places = (places[:, None] + steps).reshape(-1)
            first, last = first * level.dense_size, last * level.dense_size
        else:
            bounds = level.segments[first : last + 1].astype(np.int64)
            first, last = int(bounds[0]), int(bounds[-1])
            places = np.repeat(places, np.diff(bounds))
            places += _steps(level, first, last, stride)
    return places


def _steps(level: Level, first: int, last: int, stride: int) -> NDArray[Any]:
    """How far entries first..last of a level are from their parents in the dense tensor."""
    part = level.csr()[1][first:last]
    return part if stride == 1 else part.astype(np.int64) * stride


def _place_slices(encoding: SparseEncoding, head: int, view: NDArray[Any]) -> None:
    """Places the dense rest below each entry of the one compressed level as a whole."""
    level = encoding.levels[head]
    _, indices = level.csr()
    rest = view.shape[head + 1 :]
    values = encoding.values.reshape(indices.size, *rest)
    for first, last in _pieces(level, max(1, _CHUNK // math.prod(rest))):
        row, counts = _rows(level, first, last)
        rows = np.repeat(np.arange(row, row + counts.size), counts)
        grid = np.unravel_index(rows, view.shape[:head]) if head else ()
        view[(*grid, indices[first:last])] = values[first:last]
