"""A subgraph with the shapes that its file states, whatever size it is looked at with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tflite_sparse.model.sizes.propagate import stated_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tflite_sparse.model.subgraph import Subgraph

__all__ = ["at_placeholders"]


@contextlib.contextmanager
def at_placeholders(subgraph: Subgraph) -> Iterator[None]:
    """Gives the tensors the shapes of the file, with what stands there for open sizes.

    Args:
        subgraph: the subgraph; afterwards it has the shapes that it had.
    """
    before = {tensor: tensor.shape for tensor in subgraph.tensors}
    for tensor in before:
        tensor.shape = stated_shape(tensor)
    subgraph.memo.clear()
    try:
        yield
    finally:
        for tensor, shape in before.items():
            tensor.shape = shape
        subgraph.memo.clear()
