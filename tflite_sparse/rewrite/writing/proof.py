"""Proves what was written: the file is sound, and every changed weight has its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from numpy.typing import NDArray

from tflite_sparse.encoding import SparseEncoding, agrees, decode
from tflite_sparse.errors import RewriteError, TfliteSparseError
from tflite_sparse.flatbuffer.file import FlatFile
from tflite_sparse.model import Model, Tensor
from tflite_sparse.model.sparse import encoding_of
from tflite_sparse.threads import in_two

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterable

__all__ = ["Expected", "prove"]

_VALUE = 4


class Expected(msgspec.Struct, frozen=True, eq=False):
    """What a tensor must hold in the file that is written.

    Attributes:
        tensor: the tensor, in the model that was rewritten.
        encoding: how it was stored before; None for a tensor that was dense.
        source: gives its dense values where it was dense, or is stored in other numbers now.
    """

    tensor: Tensor
    encoding: SparseEncoding | None = None
    source: Callable[[], NDArray[Any]] | None = None

    def dense(self) -> NDArray[Any]:
        """The dense values."""
        if self.source is not None:
            return self.source()
        if self.encoding is not None:
            return decode(self.encoding)
        raise RewriteError("nothing is known of the values", place=self.tensor.place)


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
    pairs = [(item.tensor.twin_in(model), item) for item in expected]
    numbers = sum(item.tensor.size for _, item in pairs)
    held = in_two(_checked, pairs, numbers)
    return next((tensor for (tensor, _), right in zip(pairs, held, strict=True) if not right), None)


def _checked(pair: tuple[Tensor, Expected]) -> bool:
    held = _holds(*pair)
    for tensor in (pair[0], pair[1].tensor):
        tensor.subgraph.model.passed(tensor.size * _VALUE)
    return held


def _holds(tensor: Tensor, item: Expected) -> bool:
    if (tensor.name, tensor.type) != (item.tensor.name, item.tensor.type):
        return False
    if tensor.sparsity is not None:
        return agrees(encoding_of(tensor), item.dense())
    dense = tensor.data
    if dense is None:
        return False
    if item.source is None:
        return item.encoding is not None and agrees(item.encoding, dense)
    return dense.tobytes() == item.source().tobytes()
