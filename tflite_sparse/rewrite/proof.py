"""Proves what was written: the file is sound, and every changed weight has its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.encoding import decode
from tflite_sparse.errors import RewriteError, TfliteSparseError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.model import Model
from tflite_sparse.model.sparse import encoding_of

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from tflite_sparse.model import Tensor

__all__ = ["Expected", "prove", "same_values"]


_SLAB = 1 << 18


@dataclass(frozen=True, slots=True)
class Expected:
    """What a tensor must hold in the file that is written.

    Attributes:
        tensor: the tensor, in the model that was rewritten.
        values: gives its dense values, into an array where one of their shape and type is given.
    """

    tensor: Tensor
    values: Callable[[NDArray[Any] | None], NDArray[Any]]


def prove(written: bytes | mmap.mmap, expected: Iterable[Expected], name: str | None) -> None:
    """Reads back what was written and compares it with what it should be.

    Args:
        written: the whole file.
        expected: the tensors that were changed.
        name: what errors call the file.

    Raises:
        RewriteError: the file is damaged or a weight has other values, which would be a bug.
    """
    try:
        wrong = _first_wrong(Model(FlatFile.read(written, name)), expected)
    except TfliteSparseError as error:
        raise RewriteError(
            f"what was written cannot be read back, this is a bug: {error.message}",
            place=error.place,
        ) from error
    if wrong is not None:
        raise RewriteError(
            "the weight does not have its values after writing, this is a bug", place=wrong.place
        )


def _first_wrong(model: Model, expected: Iterable[Expected]) -> Tensor | None:
    scratch = _Scratch()
    for item in expected:
        tensor = model.subgraphs[item.tensor.subgraph.index].tensors[item.tensor.index]
        if not _holds(tensor, item, scratch):
            return tensor
    return None


def same_values(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Whether two arrays hold the same values bit for bit, but that -0.0 is 0.0."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    bits = np.dtype(f"u{first.dtype.itemsize}")
    left, right = first.reshape(-1), second.reshape(-1)
    # Some at a time, so that what is compared stays in the processor's cache.
    for start in range(0, left.size, _SLAB):
        a, b = left[start : start + _SLAB], right[start : start + _SLAB]
        if not np.array_equal(a.view(bits), b.view(bits)):
            unlike = np.flatnonzero(a.view(bits) != b.view(bits))
            if a[unlike].any() or b[unlike].any():
                return False
    return True


def _holds(tensor: Tensor, item: Expected, scratch: _Scratch) -> bool:
    if tensor.name != item.tensor.name:
        return False
    if tensor.sparsity is None:
        dense = tensor.data
        return dense is not None and same_values(dense, item.values(scratch.like(dense)))
    encoding = encoding_of(tensor)
    wanted = item.values(None)
    if wanted.shape != encoding.shape or wanted.dtype != encoding.values.dtype:
        return False
    return same_values(decode(encoding, scratch.like(wanted)), wanted)


class _Scratch:
    """Memory that is used for one weight after the other."""

    def __init__(self) -> None:
        self._raw: NDArray[np.uint8] = np.empty(0, np.uint8)

    def like(self, array: NDArray[Any]) -> NDArray[Any]:
        if self._raw.nbytes < array.nbytes:
            self._raw = np.empty(0, np.uint8)
            self._raw = np.empty(array.nbytes, np.uint8)
        return self._raw[: array.nbytes].view(array.dtype).reshape(array.shape)
