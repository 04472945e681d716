"""Counts zeros of weights, each weight once: exact ones, near ones, and blocks of output channels.

The values are read once, in slabs that fit the processor's cache, so that a gigabyte of weights
costs the time of reading it and a few megabytes of memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tflite_sparse.encoding.decode import decode
from tflite_sparse.encoding.occupancy import nonzero_mask
from tflite_sparse.model.sparse import decoded, encoding_of
from tflite_sparse.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tflite_sparse.model.tensor import Tensor

__all__ = ["BLOCK_CHANNELS", "Counts", "ZeroCounts", "count"]

BLOCK_CHANNELS = (2, 4)
"""Widths, in output channels, of the runtime's block kernels."""

_SLAB = 1 << 18

# A float shifted left by one has lost its sign: it is zero exactly when nothing is left, so that
# -0.0 counts, and what is left orders floats by magnitude.
_FLOATS: dict[str, np.dtype[Any]] = {
    "FLOAT32": np.dtype("<u4"),
    "FLOAT16": np.dtype("<u2"),
    "BFLOAT16": np.dtype("<u2"),
    "FLOAT64": np.dtype("<u8"),
}


class Counts(Record, frozen=True):
    """What was counted.

    Attributes:
        elements: number of values.
        zeros: values that are exactly zero, or at the zero point.
        near: float values that are not zero but under the bound in magnitude; None for integers,
            and where it was not asked for.
        block_values: for each of `BLOCK_CHANNELS` the values that are not zero in whole blocks; ()
            where only zeros were counted.
        blocks: for each of `BLOCK_CHANNELS` the whole blocks that hold a value that is not zero.
    """

    elements: int
    zeros: int
    near: int | None = None
    block_values: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()


class ZeroCounts:
    """The zeros of constants, each counted when first asked for.

    Tensors that refer to the same bytes in the same way are counted together; edited data are
    counted again. A caller that looks at a model several times makes one and passes it on.
    """

    def __init__(self) -> None:
        # With the bound for near zeros that was asked for.
        self._counted: dict[object, tuple[float | None, Counts]] = {}

    def of(
        self,
        tensor: Tensor,
        values: NDArray[Any] | None = None,
        *,
        near: float | None = None,
        zero_points: NDArray[Any] | None = None,
    ) -> Counts:
        """The zeros of a constant.

        Args:
            tensor: the tensor that the file stores, dense or sparse.
            values: its dense value, where the caller has it.
            near: the bound of magnitude for near zeros; None where they do not matter.
            zero_points: what counts as zero, see `count`.

        Raises:
            EncodingError: a sparse encoding is malformed.
            ModelError: the buffer does not fit the shape.
        """
        key = _key(tensor, zero_points)
        if key in self._counted:
            bound, counts = self._counted[key]
            if near is None or near == bound:
                return counts
        counted = _count(tensor, values, near, zero_points)
        if counted is None:
            return Counts(0, 0, None, *((0,) * len(BLOCK_CHANNELS) for _ in range(2)))
        self._counted[key] = near, counted
        tensor.subgraph.model.passed(tensor.buffer.nbytes)
        return counted

    def tell(self, tensor: Tensor, counts: Counts) -> None:
        """Stores zeros of a constant that the caller has counted; its zero point must be 0."""
        self._counted[_key(tensor, None)] = None, counts


def count(
    values: NDArray[Any],
    kind: str,
    *,
    near: float | None = None,
    zero_points: NDArray[Any] | None = None,
) -> Counts:
    """Counts the zeros of a weight.

    Args:
        values: the dense weight, its first dimension the output channels.
        kind: its element type by the schema's name, such as "FLOAT16"; BFLOAT16 comes as uint16.
        near: the bound of magnitude for near zeros; None where they do not matter.
        zero_points: what counts as zero: as many dimensions as `values`, all of size 1 but the one
            along which zero points differ; None for 0.
    """
    is_float = kind in _FLOATS
    masks = _float_masks(values, kind, near) if is_float else _integer_masks(values, zero_points)
    filled = small = 0
    block_values = [0] * len(BLOCK_CHANNELS)
    blocks = [0] * len(BLOCK_CHANNELS)
    for mask, slab_small in masks:
        part = int(np.count_nonzero(mask))
        filled += part
        small += slab_small
        merged = mask
        for index, width in enumerate(BLOCK_CHANNELS):
            # Each width is twice the one before.
            whole = len(mask) - len(mask) % width
            block_values[index] += (
                part if whole == len(mask) else int(np.count_nonzero(mask[:whole]))
            )
            merged = merged[: whole * 2 // width]
            merged = merged[0::2] | merged[1::2]
            blocks[index] += int(np.count_nonzero(merged))
    zeros = int(values.size) - filled
    return Counts(
        elements=int(values.size),
        zeros=zeros,
        near=small - zeros if is_float and near is not None else None,
        block_values=tuple(block_values),
        blocks=tuple(blocks),
    )


def _count(
    tensor: Tensor,
    values: NDArray[Any] | None,
    near: float | None,
    zero_points: NDArray[Any] | None,
) -> Counts | None:
    """The zeros of a constant; None where it has no value."""
    plain = near is None and zero_points is None and tensor.type != "BFLOAT16"
    if values is None and tensor.sparsity is not None and plain:
        # Whether a value is zero fits a byte, so that a quarter of the memory is placed.
        encoding = encoding_of(tensor)
        filled = msgspec.structs.replace(encoding, values=nonzero_mask(encoding.values))
        return count(decode(filled), "BOOL")
    values = decoded(tensor) if values is None else values
    return (
        None if values is None else count(values, tensor.type, near=near, zero_points=zero_points)
    )


def _key(tensor: Tensor, zero_points: NDArray[Any] | None) -> object:
    points = None if zero_points is None else (zero_points.shape, zero_points.tobytes())
    # The same bytes can be seen in another way by another tensor.
    sparsity = tensor.sparsity
    encoding = None if sparsity is None else sparsity.offset or sparsity
    return tensor.buffer.content, tensor.type, tensor.shape, encoding, points


def _float_masks(
    values: NDArray[Any], kind: str, near: float | None
) -> Iterator[tuple[NDArray[np.bool_], int]]:
    """Slabs as (where it is not zero, how many are zero or near zero)."""
    rows = _rows(values.view(_FLOATS[kind]))
    bound = None if near is None else _bound(near, kind)
    scratch = np.empty(0, rows.dtype)
    for slab in _slabs(rows):
        if scratch.size < slab.size:
            scratch = np.empty(slab.size, rows.dtype)
        bits = scratch[: slab.size].reshape(slab.shape)
        np.left_shift(slab, 1, out=bits)
        yield bits != 0, 0 if bound is None else int(np.count_nonzero(bits < bound))


def _integer_masks(
    values: NDArray[Any], zero_points: NDArray[Any] | None
) -> Iterator[tuple[NDArray[np.bool_], int]]:
    rows = _rows(values)
    if zero_points is None or zero_points.size == 1:
        zero_point = 0 if zero_points is None else int(zero_points.reshape(-1)[0])
        for slab in _slabs(rows):
            # Comparing truth values with a number would widen them first.
            yield slab if slab.dtype == np.bool_ and not zero_point else slab != zero_point, 0
        return
    # One zero point a row, or one row of them: never as many as there are values.
    if zero_points.shape[0] == 1:
        zero_points = np.broadcast_to(zero_points, (1, *values.shape[1:]))
    zeros = np.broadcast_to(zero_points.reshape(zero_points.shape[0], -1), rows.shape)
    for slab, zero in zip(_slabs(rows), _slabs(zeros), strict=True):
        yield slab != zero, 0


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    count = values.shape[0] if values.ndim else 1
    return values.reshape(count, -1) if values.size else np.empty((0, 0), values.dtype)


def _slabs(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Parts of about `_SLAB` values that split no block of channels."""
    largest = BLOCK_CHANNELS[-1]
    height, width = rows.shape
    columns = max(1, min(width, _SLAB // largest))
    step = max(largest, _SLAB // columns // largest * largest)
    for top in range(0, height, step):
        for left in range(0, width, columns):
            yield rows[top : top + step, left : left + columns]


def _bound(near: float, kind: str) -> int:
    """The bound as shifted bits; at least 1, so that zeros are always below it."""
    size = 4 if kind == "BFLOAT16" else _FLOATS[kind].itemsize
    real = np.dtype(f"<f{size}")
    bits = int(np.array(min(near, float(np.finfo(real).max)), real).view(f"<u{size}"))
    if kind == "BFLOAT16":
        # The upper half of a float32; a value on the bound itself may fall on either side.
        bits >>= 16
    return max(1, bits << 1)
