"""The weights of a module: which are trained; taken aside and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tflite_sparse.model.weights import by_content
from tflite_sparse.torch.build import from_tflite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from tflite_sparse.model import Model
    from tflite_sparse.torch.module import TfliteModule

__all__ = ["copied", "put", "to_train"]


def to_train(model: Model) -> TfliteModule:
    """A model as a module in which weights stay that other subgraphs or metadata have too.

    Args:
        model: the model.
    """
    module = from_tflite(model)
    subgraph = model.subgraphs[module.subgraph]
    holders = by_content(model)
    metadata = {entry.buffer.content for entry in model.metadata}
    for stored in module.stored:
        content = subgraph.tensors[stored.tensor].buffer.content
        elsewhere = any(holder.subgraph is not subgraph for holder in holders[content])
        if elsewhere or content in metadata:
            module.weights[stored.name].requires_grad_(requires_grad=False)
    return module


def copied(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of weights, by their names."""
    return {name: weight.detach().clone() for name, weight in weights.items()}


@torch.no_grad()
def put(weights: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Gives weights the values that others of the same names have."""
    for name, weight in weights.items():
        weight.copy_(values[name])
