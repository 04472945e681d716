"""Puts new values of filters and biases into a model, and changes nothing else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tflite_sparse.model.types import FLOATS
from tflite_sparse.model.uses import trace_constant, uses_of
from tflite_sparse.rewrite.writing.proof import Expected
from tflite_sparse.storage.values.readers import filter_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tflite_sparse.model import Model, Operator, Tensor
    from tflite_sparse.model.weights import Weight

__all__ = ["bias_of", "set_bias", "set_filter"]


def set_filter(model: Model, weight: Weight, values: NDArray[np.floating[Any]]) -> list[Expected]:
    """Gives a filter other values, in the type in which it is stored.

    Args:
        model: the model to change, a copy of the one that the weight is of.
        weight: the filter.
        values: of its shape; what is zero stays zero.

    Returns:
        What its tensors must hold when the model is written.
    """
    stored = _cast(values, FLOATS[weight.tensor.type])
    return [_put(model, tensor, stored) for tensor in weight.tensors]


def _cast(values: NDArray[np.floating[Any]], kind: np.dtype[Any]) -> NDArray[Any]:
    limits = np.finfo(str(kind))
    return np.asarray(np.clip(values, float(limits.min), float(limits.max)), kind)


def bias_of(operator: Operator) -> Tensor | None:
    """The bias of a convolution where it may be changed: a float that nothing else reads."""
    place = filter_of(operator)
    use = None if place is None else trace_constant(operator, place.bias)
    if use is None or use.constant.type not in FLOATS or use.constant.sparsity is not None:
        return None
    readers = {reader.operator for reader in uses_of(use.constant)}
    return use.constant if readers == {operator} else None


def set_bias(model: Model, tensor: Tensor, values: NDArray[np.floating[Any]]) -> Expected:
    """Gives a bias other values; where other tensors share its bytes, these keep theirs.

    Args:
        model: the model to change, a copy of the one that the tensor is of.
        tensor: the bias, see `bias_of`.
        values: of its shape.
    """
    twin = tensor.twin_in(model)
    if len(model.users(twin.buffer)) > 1 or any(m.buffer is twin.buffer for m in model.metadata):
        twin.store_in(model.add_buffer())
        twin.subgraph.edited = True
    return _put(model, tensor, _cast(values, FLOATS[tensor.type]))


def _put(model: Model, tensor: Tensor, stored: NDArray[Any]) -> Expected:
    twin = tensor.twin_in(model)
    twin.buffer.data = stored
    return Expected(twin, source=partial(np.asarray, stored))
