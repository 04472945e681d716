"""Puts trained weights back into the file that they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.errors import RewriteError, UsageError
from tflite_sparse.model.types import FLOATS
from tflite_sparse.model.weights import by_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Tensor
    from tflite_sparse.torch.module import StoredWeight

__all__ = ["write_weights"]


def write_weights(
    model: Model, subgraph: int, stored: Sequence[StoredWeight], values: Mapping[int, NDArray[Any]]
) -> int:
    """Puts weights into a model; constants whose bytes stay the same are not touched.

    Args:
        model: the model to edit.
        subgraph: index of the subgraph that the weights belong to.
        stored: where they are.
        values: number of a tensor -> its new value.

    Returns:
        How many constants changed.

    Raises:
        UsageError: the model has no such weights.
        RewriteError: a value is not finite, or too large for the type in which it is stored.
    """
    changed = [
        (tensor, data)
        for weight in stored
        if (tensor := _tensor(model, subgraph, weight))
        and not np.array_equal(data := _bytes(tensor, values[weight.tensor]), tensor.buffer.data)
    ]
    holders = by_content(model)
    for tensor, data in changed:
        for buffer in {holder.buffer for holder in holders[tensor.buffer.content]}:
            buffer.data = data
    return len(changed)


def _tensor(model: Model, subgraph: int, weight: StoredWeight) -> Tensor:
    if subgraph < len(model.subgraphs):
        tensors = model.subgraphs[subgraph].tensors
        if weight.tensor < len(tensors):
            tensor = tensors[weight.tensor]
            if (tensor.type, tensor.shape) == (weight.type, weight.shape) and tensor.is_constant:
                return tensor
    raise UsageError(
        f"the model has no weight {weight.name!r} like that of the module",
        hint="give the model that the module was made from, or a copy of it",
    )


def _bytes(tensor: Tensor, value: NDArray[Any]) -> NDArray[np.uint8]:
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(value, FLOATS[tensor.type])
    if not np.isfinite(stored).all():
        raise RewriteError(
            f"a trained weight is not finite as {tensor.type}",
            place=tensor.place,
            hint="train with a lower learning rate",
        )
    return stored.reshape(-1).view(np.uint8)
