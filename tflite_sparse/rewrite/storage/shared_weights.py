"""The weights that a rewrite may touch, and what people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflite_sparse.model.weights import find_weights
from tflite_sparse.rewrite.changes import WeightId
from tflite_sparse.words.names import readable

if TYPE_CHECKING:
    from tflite_sparse.model import Model
    from tflite_sparse.model.weights import Weight

__all__ = ["shared_weights", "weight_id"]


def shared_weights(model: Model) -> list[Weight]:
    """The weights of a model, each data once with everything that refers to it."""
    return find_weights(model, by_bytes=True)


def weight_id(weight: Weight) -> WeightId:
    """Which weight it is, for people, as the model is now."""
    first = weight.tensor
    return WeightId(
        subgraph=first.subgraph.index,
        tensor=first.index,
        name=readable(first.name),
        type=first.type,
        shape=first.shape,
        operators=tuple(operator.label for operator in weight.readers),
        shared=len(weight.tensors),
    )
